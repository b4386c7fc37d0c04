// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/log.h"

#include "base/error.h"

namespace ontapnvme {
namespace {

// A call that has more to say than this has gone wrong in a way that more lines do not explain.
constexpr std::size_t kRecordsMax = 500;
constexpr std::size_t kCharactersMax = 1000;

}  // namespace

void Log::Add(LogLevel level, std::string text) {
  if (records_.size() >= kRecordsMax) return;
  records_.push_back({level, CleanText(text, kCharactersMax)});
}

}  // namespace ontapnvme
