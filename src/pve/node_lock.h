// SPDX-License-Identifier: AGPL-3.0-or-later
// Keeps the tasks of one node apart where Proxmox has no lock of its own: a file per storage and
// matter in the state directory is locked while one of them works. It ends with its process.
#pragma once

#include <string>

#include "base/deadline.h"
#include "base/result.h"
#include "base/unique_fd.h"

namespace ontapnvme::pve {

class NodeLock {
 public:
  NodeLock(std::string directory, std::string storage_id, std::string matter)
      : directory_(std::move(directory)),
        path_(directory_ + "/" + storage_id + "." + matter + ".lock") {}

  // Held as long as the result is kept. Not for the same task twice. kTimedOut, kInterrupted; where
  // no file can be made nobody is kept apart, and nothing is held.
  Result<UniqueFd> Take(const Deadline& deadline) const;
  // Removes the file. For a storage that is removed: nobody has business there any more.
  void Forget() const;

 private:
  std::string directory_;
  std::string path_;
};

}  // namespace ontapnvme::pve
