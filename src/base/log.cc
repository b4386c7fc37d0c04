// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/log.h"

#include "base/error.h"

namespace ontapnvme {
namespace {

// A call that has more to say than this has gone wrong in a way that more lines do not explain.
constexpr std::size_t kRecordsMax = 500;
// Details leave room for the warnings that come after them.
constexpr std::size_t kDetailsMax = 400;
constexpr std::size_t kCharactersMax = 1000;

}  // namespace

void Log::Add(LogLevel level, const std::string& text) {
  const bool is_detail = level < LogLevel::kInfo;
  if (records_.size() >= (is_detail ? kDetailsMax : kRecordsMax)) return;
  records_.push_back({level, CleanText(text, kCharactersMax)});
}

}  // namespace ontapnvme
