// SPDX-License-Identifier: AGPL-3.0-or-later
// What one probe has found out about how an array behaves, where its documentation leaves that open.
#pragma once

#include <string>
#include <vector>

namespace ontapnvme {

struct ProbeFinding {
  std::string probe;
  std::string question;
  std::string position;  // the array's answer in a word: one of those of the probe, or "unknown"
  std::string detail;    // a number, the array's code, or why it is not known; may be empty
  // Of whom it is true: another array, or this one with another release, may answer otherwise.
  std::string svm_uuid;
  std::string release;  // empty: the account may not read it
};

// A probe, before it is run.
struct ProbeInfo {
  std::string probe;
  std::string question;
  std::string steps;
  std::vector<std::string> positions;
};

}  // namespace ontapnvme
