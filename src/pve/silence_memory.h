// SPDX-License-Identifier: AGPL-3.0-or-later
// That a poll has just found the array silent, for all processes of this node: a small file per
// storage in the state directory. It counts for seconds only, by the clock that runs since the
// node's start, which is also as long as that directory lasts.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/deadline.h"

namespace ontapnvme::pve {

class SilenceMemory {
 public:
  using WallTime = std::chrono::system_clock::time_point;

  SilenceMemory(const std::string& directory, const std::string& storage_id)
      : directory_(directory), path_(directory + "/" + storage_id + ".silent") {}

  // Since when nobody answers, to the second; nothing when no poll has said so lately.
  std::optional<WallTime> Since(Clock& clock) const;
  // A poll that began at `since` got no answer. What earlier ones of the same silence said stays.
  // Best effort: without it operations are as patient as ever.
  void Note(WallTime since, Clock& clock) const;
  void Forget() const;

 private:
  struct Finding {
    WallTime since;
    Duration age;
  };
  std::optional<Finding> Load(Clock& clock) const;

  std::string directory_;
  std::string path_;
};

}  // namespace ontapnvme::pve
