// SPDX-License-Identifier: AGPL-3.0-or-later
// Keeps the tasks of one node apart where Proxmox has no lock of its own: one of them at a time holds
// a lock on a file in the state directory, one for each storage and matter. The lock ends with its
// process.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace ontapnvme::node {

class NodeLock {
 public:
  NodeLock(std::string directory, const std::string& storage_id, const std::string& matter)
      : directory_(std::move(directory)),
        path_(directory_ + "/" + storage_id + "." + matter + ".lock") {}

  // The lock is held for as long as the result is kept. A task that holds it must not take it again.
  // kTimedOut, kInterrupted. Where no file can be made the result is empty: nothing is held then, and
  // no task kept out.
  Result<UniqueFd> Take(const Deadline& deadline) const;
  // Removes the file. Only for a storage that is removed: a task that still holds the lock would not
  // keep out the next one.
  void Forget() const;

 private:
  std::string directory_;
  std::string path_;
};

}  // namespace ontapnvme::node
