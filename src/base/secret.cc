// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/secret.h"

#include <cstring>
#include <utility>

namespace ontapnvme {

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) {
    Wipe();
    bytes_ = other.bytes_;
  }
  return *this;
}

// A short string lives inside the object: moving it copies the bytes, so the source is wiped as
// well.
Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)) {
  other.Wipe();
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this != &other) {
    Wipe();
    bytes_ = std::move(other.bytes_);
    other.Wipe();
  }
  return *this;
}

Secret::~Secret() {
  Wipe();
}

void Secret::Wipe() noexcept {
  WipeText(bytes_);
}

void WipeText(std::string& text) noexcept {
  text.resize(text.capacity());  // within the capacity: does not allocate, so it cannot throw
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace ontapnvme
