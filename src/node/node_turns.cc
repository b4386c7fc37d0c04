// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/node_turns.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>

#include "base/files.h"
#include "base/unique_fd.h"
#include "base/wall_time.h"

namespace ontapnvme::node {
namespace {

constexpr std::string_view kEnding = ".turn";

}  // namespace

std::string NodeTurns::PathOf(const std::string& matter) const {
  return directory_ + "/" + storage_id_ + "." + matter + std::string(kEnding);
}

std::optional<std::chrono::seconds> NodeTurns::TakenAgo(const std::string& matter,
                                                        Clock& clock) const {
  const auto text = ReadSmallFile(PathOf(matter), 24);
  std::int64_t last_s = 0;
  if (!text) return std::nullopt;
  const auto parsed = std::from_chars(text->data(), text->data() + text->size(), last_s);
  const std::int64_t now_s = WallSeconds(clock);
  if (parsed.ec != std::errc() || last_s > now_s) return std::nullopt;
  return std::chrono::seconds(now_s - last_s);
}

void NodeTurns::Forget(const std::string& matter) const {
  ::unlink(PathOf(matter).c_str());
}

bool NodeTurns::Take(const std::string& matter, std::chrono::seconds every, Clock& clock) const {
  ::mkdir(directory_.c_str(), 0700);
  const UniqueFd file(
      ::open(PathOf(matter).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  // The process that holds the lock is taking this turn.
  if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
  const std::int64_t now_s = WallSeconds(clock);
  std::array<char, 24> text{};
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  std::int64_t last_s = 0;
  if (size > 0) std::from_chars(text.data(), text.data() + size, last_s);
  // A clock that was set back must not put the next turn off for ever.
  if (last_s <= now_s && now_s - last_s < every.count()) return false;
  const std::string line = std::to_string(now_s) + "\n";
  return ::ftruncate(file.get(), 0) == 0 &&
         ::pwrite(file.get(), line.data(), line.size(), 0) == static_cast<ssize_t>(line.size());
}

void NodeTurns::Forget() const {
  const std::string stem = storage_id_ + ".";
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory_, ignored)) {
    std::string matter = entry.path().filename();
    const bool is_ours = matter.size() > stem.size() + kEnding.size() && matter.starts_with(stem) &&
                         matter.ends_with(kEnding);
    if (!is_ours) continue;
    matter = matter.substr(stem.size(), matter.size() - stem.size() - kEnding.size());
    // One with a dot in it belongs to a storage whose id begins like this one's.
    if (matter.find('.') == std::string::npos) std::filesystem::remove(entry.path(), ignored);
  }
}

}  // namespace ontapnvme::node
