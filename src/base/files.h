// SPDX-License-Identifier: AGPL-3.0-or-later
// Small files that several processes, or nodes, read and replace as a whole.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/result.h"

namespace ontapnvme {

// Nothing when it is not there, cannot be read or is larger than `bytes_max`.
std::optional<std::string> ReadSmallFile(const std::string& path, std::size_t bytes_max);

// Replaces the file in one step; for root only (0600). Its folder must be there.
Status ReplaceSmallFile(const std::string& path, const std::string& text);

// "key=value" lines; others are left out.
std::map<std::string, std::string> ParseLines(const std::string& text);

}  // namespace ontapnvme
