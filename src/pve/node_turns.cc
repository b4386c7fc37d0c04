// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/node_turns.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>

#include "base/unique_fd.h"

namespace ontapnvme::pve {

bool NodeTurns::Take(const std::string& matter, std::chrono::seconds every, Clock& clock) const {
  ::mkdir(directory_.c_str(), 0700);
  const std::string path = directory_ + "/" + storage_id_ + "." + matter;
  const UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  // Whoever holds the lock is taking this turn.
  if (!file || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) return false;
  const std::int64_t now_s =
      std::chrono::duration_cast<std::chrono::seconds>(clock.WallTime().time_since_epoch()).count();
  std::array<char, 24> text{};
  const ssize_t size = ::pread(file.get(), text.data(), text.size(), 0);
  std::int64_t last_s = 0;
  if (size > 0) std::from_chars(text.data(), text.data() + size, last_s);
  // A clock that was set back must not silence it for ever.
  if (last_s <= now_s && now_s - last_s < every.count()) return false;
  const std::string line = std::to_string(now_s) + "\n";
  return ::ftruncate(file.get(), 0) == 0 &&
         ::pwrite(file.get(), line.data(), line.size(), 0) == static_cast<ssize_t>(line.size());
}

void NodeTurns::Forget() const {
  for (const char* matter : kTurnMatters) {
    ::unlink((directory_ + "/" + storage_id_ + "." + matter).c_str());
  }
}

}  // namespace ontapnvme::pve
