// SPDX-License-Identifier: AGPL-3.0-or-later
// Which tasks of this node have asked for a link: Proxmox does not say when a task is done with a
// snapshot that it has activated. Small files in the state directory, which a restart of the node
// empties.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace ontapnvme::node {

class LinkTasks {
 public:
  LinkTasks(const std::string& directory, const std::string& storage_id)
      : parent_(directory), directory_(directory + "/" + storage_id + ".link-tasks") {}

  // This process has asked for the link. A daemon, which never ends, counts for some minutes after its
  // last question only. Best effort: a link without a note has no task that ends.
  // Not for several processes at the same link at once.
  void Note(const std::string& link_name) const;
  // The links whose tasks have all ended. One whose end cannot be told has not.
  std::vector<std::string> Ended() const;
  // The task that has asked for the link and still runs, "process 1234"; nothing when there is none but
  // this one.
  std::optional<std::string> OtherTask(const std::string& link_name) const;
  // Whether a task has asked for the link that still runs, this one included.
  bool IsAwaited(const std::string& link_name) const;
  // Idempotent.
  void Forget(const std::string& link_name) const;
  void ForgetAll() const;

 private:
  // The lines of its note that are of running tasks.
  std::vector<std::string> Running(const std::string& link_name) const;

  std::string parent_;
  std::string directory_;
};

}  // namespace ontapnvme::node
