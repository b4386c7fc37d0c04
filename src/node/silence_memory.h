// SPDX-License-Identifier: AGPL-3.0-or-later
// Tells all processes of this node that a poll has just found the array silent: a small file per
// storage in the state directory. It counts for seconds only, by the clock that runs from the node's
// start, and that is also how long the directory lasts.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/deadline.h"

namespace ontapnvme::node {

class SilenceMemory {
 public:
  using WallTime = std::chrono::system_clock::time_point;

  SilenceMemory(const std::string& directory, const std::string& storage_id)
      : directory_(directory), path_(directory + "/" + storage_id + ".silent") {}

  // Since when the array does not answer, to the second; nothing when no poll has noted it lately.
  std::optional<WallTime> Since(Clock& clock) const;
  // A poll that began at `since` got no answer. The beginning that an earlier poll of the same
  // silence noted stays. Best effort: without it operations wait as long as ever.
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

}  // namespace ontapnvme::node
