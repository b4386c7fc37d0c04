// SPDX-License-Identifier: AGPL-3.0-or-later
// What a temporary namespace is called that a rollback makes beside a disk's own, in the same FlexVol,
// to overwrite the disk with. The name is its mark: it is there from the moment the namespace is, and
// whether an array copies, keeps or drops comments while it clones is not documented. No namespace of a
// disk has such a name: those are FlexVol names, which have no '-'.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/deadline.h"

namespace ontapnvme::catalogue::flexvol {

struct CopyName {
  std::string owner;  // Marker::ShortTag of the storage whose rollback it is
  // Of that rollback, the same for all disks of a call: when it began, then something random. The
  // array's own time of a clone may be that of what it was made of.
  std::string operation_id;
  std::string snapshot;  // the array's name of the snapshot that it is a copy of

  static std::string NewOperationId(Clock& clock);
  std::string Text() const;
  std::chrono::system_clock::time_point MadeAt() const;
  // From the last part of a namespace's path; nothing for any other name.
  static std::optional<CopyName> Parse(std::string_view base_name);
};

}  // namespace ontapnvme::catalogue::flexvol
