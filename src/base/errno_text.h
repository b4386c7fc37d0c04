// SPDX-License-Identifier: AGPL-3.0-or-later
// The kernel's error numbers as text, without strerror's shared buffer and the caller's locale.
#pragma once

#include <cstring>
#include <string>

namespace ontapnvme {

inline std::string ErrnoText(int code) {
  const char* const text = ::strerrordesc_np(code);
  return text != nullptr ? std::string(text) : "error " + std::to_string(code);
}

}  // namespace ontapnvme
