// SPDX-License-Identifier: AGPL-3.0-or-later
// What this node remembers of an array between processes, so that a new process starts without
// asking: one small file per storage in the state directory (0700). It holds nothing that a disk's
// identity hangs on, and nothing secret.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "ontap/release.h"

namespace ontapnvme::pve {

struct ArrayFacts {
  ontap::Release release;
  Uuid svm_uuid;
  Uuid subsystem_uuid;
  std::string subsystem_nqn;
  std::string host_nqn;  // this node's, as registered with the subsystem
  std::vector<std::string> lif_addresses;
  bool is_aggregate_encrypted = false;
  std::int64_t read_at_s = 0;  // seconds since the epoch
};

class NodeMemory {
 public:
  // `settings_text` names what the facts depend on; facts kept under another text are not returned.
  NodeMemory(std::string directory, std::string storage_id, std::string settings_text)
      : directory_(std::move(directory)),
        storage_id_(std::move(storage_id)),
        settings_text_(std::move(settings_text)) {}

  // Nothing when there is none, or it cannot be read whole.
  std::optional<ArrayFacts> Load() const;
  // Best effort: without it the next process asks the array. The subsystem is noted for udev as
  // well, as <directory>/subsystems/<NQN>.
  void Store(const ArrayFacts& facts) const;
  void Forget() const;

 private:
  std::string Path() const { return directory_ + "/" + storage_id_ + ".facts"; }

  std::string directory_;
  std::string storage_id_;
  std::string settings_text_;
};

}  // namespace ontapnvme::pve
