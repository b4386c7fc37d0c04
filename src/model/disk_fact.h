// SPDX-License-Identifier: AGPL-3.0-or-later
// One thing that is known of what is behind a disk, for people.
#pragma once

#include <string>
#include <vector>

namespace ontapnvme {

struct DiskFact {
  std::string
      part;  // volume, mark, container, group, namespace, map, snapshot, shown, device, path
  std::string name;  // of what is told
  std::string value;
  bool is_odd = false;  // not as it should be; `value` says what to think of it
};

using DiskFacts = std::vector<DiskFact>;

}  // namespace ontapnvme
