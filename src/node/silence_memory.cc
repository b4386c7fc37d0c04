// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/silence_memory.h"

#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>

#include "base/files.h"

namespace ontapnvme::node {
namespace {

constexpr std::size_t kFileMax = 256;
// pvestatd polls every 10 s, and a silent storage takes some of them.
constexpr Duration kFreshFor{15'000};
// Polls that are further apart say nothing about the time between them.
constexpr Duration kSameSilence{60'000};

std::optional<std::int64_t> Number(const std::string& text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  return is_whole ? std::optional(number) : std::nullopt;
}

std::int64_t SinceBoot_ms(Clock& clock) {
  return std::chrono::duration_cast<Duration>(clock.Now().time_since_epoch()).count();
}

}  // namespace

std::optional<SilenceMemory::Finding> SilenceMemory::Load(Clock& clock) const {
  const auto text = ReadSmallFile(path_, kFileMax);
  if (!text) return std::nullopt;
  auto fields = ParseLines(*text);
  const auto since_s = Number(fields["since"]);
  const auto found_at_ms = Number(fields["found_at_ms"]);
  const std::int64_t now_ms = SinceBoot_ms(clock);
  // One from the future was not written since this start of the node.
  if (!since_s || !found_at_ms || *found_at_ms < 0 || *found_at_ms > now_ms) return std::nullopt;
  return Finding{.since = WallTime(std::chrono::seconds(*since_s)),
                 .age = Duration(now_ms - *found_at_ms)};
}

std::optional<SilenceMemory::WallTime> SilenceMemory::Since(Clock& clock) const {
  const auto last = Load(clock);
  return last && last->age < kFreshFor ? std::optional(last->since) : std::nullopt;
}

void SilenceMemory::Note(WallTime since, Clock& clock) const {
  const auto last = Load(clock);
  if (last && last->age < kSameSilence) since = last->since;
  const auto since_s = std::chrono::duration_cast<std::chrono::seconds>(since.time_since_epoch());
  ::mkdir(directory_.c_str(), 0700);
  (void)ReplaceSmallFile(path_, "since=" + std::to_string(since_s.count()) +
                                    "\nfound_at_ms=" + std::to_string(SinceBoot_ms(clock)) + "\n");
}

void SilenceMemory::Forget() const {
  ::unlink(path_.c_str());
}

}  // namespace ontapnvme::node
