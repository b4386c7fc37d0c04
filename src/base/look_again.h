// SPDX-License-Identifier: AGPL-3.0-or-later
// What was made a moment ago may be missing from what the array lists: "not listed" means "not
// listed yet" until some time has passed.
#pragma once

#include <algorithm>
#include <utility>

#include "base/deadline.h"
#include "base/result.h"

namespace ontapnvme {

// NetApp's own driver waits 30 s for a namespace, and up to 60 s for a volume.
inline constexpr Duration kListedWithin{30000};

// Looks until what is asked for is there, at most for kListedWithin, and returns what was seen last.
// `look` returns a Result; `is_there` says whether its value is the answer. An error ends it.
template <typename Look, typename IsThere>
auto LookAgain(Look look, IsThere is_there, const Deadline& deadline) -> decltype(look()) {
  constexpr Duration kFirstDelay{100};
  constexpr Duration kDelayMax{2000};
  // What is kept of the budget for the last look.
  constexpr Duration kLookReserve{500};
  const Deadline patience = deadline.Within(kListedWithin);
  for (Duration delay = kFirstDelay;; delay = std::min(delay * 2, kDelayMax)) {
    auto seen = look();
    if (!seen.ok() || is_there(*seen)) return seen;
    if (delay + kLookReserve > patience.Remaining()) return seen;
    if (auto waited = deadline.Sleep(delay, "waiting for the array to list what it made");
        !waited.ok()) {
      return std::move(waited).error();
    }
  }
}

// The same for a look that returns an optional: until there is something.
template <typename Look>
auto LookAgainUntilListed(Look look, const Deadline& deadline) -> decltype(look()) {
  return LookAgain(
      std::move(look), [](const auto& seen) { return seen.has_value(); }, deadline);
}

}  // namespace ontapnvme
