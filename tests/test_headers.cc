// SPDX-License-Identifier: AGPL-3.0-or-later
// Carries the precompiled headers of the test programs, and does nothing.
int main() {
  return 0;
}
