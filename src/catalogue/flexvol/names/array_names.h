// SPDX-License-Identifier: AGPL-3.0-or-later
// What a storage's objects are called on an array with FlexVols. The names are part of the contract:
// installations before this one use the first forms, and keep their disks. Injective both ways: two
// volumes never share a FlexVol. tests/tables/volnames.tsv holds this to the Perl side.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/uuid.h"
#include "model/volume_name.h"

namespace ontapnvme::catalogue::flexvol {

class ArrayNames {
 public:
  // `prefix` begins all names of the storage; may be empty.
  explicit ArrayNames(std::string prefix) : prefix_(std::move(prefix)) {}

  // The FlexVol of a volume. kInvalidArgument when the name would be longer than ONTAP's 203
  // characters.
  Result<std::string> FlexVol(const VolumeName& name) const;
  // The name under which releases before this one stored it, when that differs and was possible:
  // state names lost their '-' and '.' there. Only to be read, and only when unmarked.
  std::optional<std::string> LegacyFlexVol(const VolumeName& name) const;
  // The way back, without the base part; nothing for a FlexVol that is not ours by name.
  std::optional<VolumeName> VolumeOf(std::string_view flexvol) const;

  // Patterns for ONTAP queries ('|' any of, '*' any text).
  std::string Pattern() const;
  std::string PatternOfVm(std::uint64_t vmid) const;

  // A FlexVol that is deleted as far as Proxmox knows, and waits for that on the array; outside the
  // names of volumes.
  std::string Parked(const Uuid& volume) const;
  std::string ParkedPattern() const;

  // A snapshot device; outside the names of volumes too. `hash` tells one from another.
  std::string SnapshotDevice(std::string_view hash) const;
  std::string SnapshotDevicePattern() const;

  // What a VM's consistency group is called when it is made: at most 30 characters. With a `tag` the
  // second choice, for a VM whose first name another owner has.
  std::string Group(std::uint64_t vmid, std::string_view tag = {}) const;
  // All names that its group may have: those, and the longer ones that older releases gave.
  std::vector<std::string> GroupNames(std::uint64_t vmid, std::string_view tag) const;
  // The way back; nothing for any other name.
  std::optional<std::uint64_t> VmOfGroup(std::string_view group, std::string_view tag) const;
  // Matches all of these of all VMs, and may match more.
  std::string GroupPattern(std::string_view tag) const;

 private:
  std::string Stem(const VolumeName& name) const;
  std::string LongGroup(std::uint64_t vmid, std::string_view tag) const;
  std::string ShortGroupStem(std::string_view tag) const;
  std::string prefix_;
};

}  // namespace ontapnvme::catalogue::flexvol
