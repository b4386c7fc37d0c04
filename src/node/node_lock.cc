// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/node_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace ontapnvme::node {
namespace {

// A blocked flock would end neither with the deadline nor with the task.
constexpr Duration kAskEvery{50};

}  // namespace

Result<UniqueFd> NodeLock::Take(const Deadline& deadline) const {
  ::mkdir(directory_.c_str(), 0700);
  UniqueFd file(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  while (file && ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return UniqueFd();
    TRY_STATUS(deadline.Sleep(kAskEvery, "waiting for another task of this node"));
  }
  return file;
}

void NodeLock::Forget() const {
  ::unlink(path_.c_str());
}

}  // namespace ontapnvme::node
