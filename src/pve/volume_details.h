// SPDX-License-Identifier: AGPL-3.0-or-later
// What the comment of a FlexVol tells behind the mark of its owner: everything about a volume that
// must outlive this node and is no setting of the array.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace ontapnvme::pve {

struct VolumeDetails {
  // A linked clone: the base image that its volume name holds. Kept here because a split on the
  // array forgets the parent, and a volume must never change its name.
  std::string base_name = {};
  // A base image: the snapshot that linked clones hang on. Empty: kBaseSnapshot.
  std::string base_snapshot = {};
  // A snapshot device: the volume and the snapshot that it shows, and to which node (host NQN).
  std::string shown_volume = {};
  std::string shown_snapshot = {};
  std::string shown_to = {};
  bool is_protected = false;
  std::string notes = {};

  bool operator==(const VolumeDetails&) const = default;
};

// What a comment tells; nothing for one without a mark.
VolumeDetails ReadDetails(std::string_view comment);

// The snapshot of a base image that linked clones hang on.
std::string BaseSnapshotOf(std::string_view comment);

// The comment with these details in place of its own. `comment` is a mark, with or without details.
// kInvalidArgument when the array could not hold it: only notes can be that long.
Result<std::string> WithDetails(std::string_view comment, const VolumeDetails& details);

}  // namespace ontapnvme::pve
