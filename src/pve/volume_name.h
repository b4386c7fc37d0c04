// SPDX-License-Identifier: AGPL-3.0-or-later
// Proxmox's names of volumes and the array's names of FlexVols, and the way between them. Injective
// both ways: two volume names never share a FlexVol. The same grammar stands once more in the Perl
// shim, which must parse names without the native module; tests/tables/volnames.tsv holds both to
// one table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ontapnvme::pve {

struct VolumeName {
  bool is_base = false;  // base-…, a template's disk
  std::uint64_t vmid = 0;
  std::string rest;  // what follows "vm-<vmid>-": disk-0, cloudinit, state-x, fleece-1, anything
  std::string
      base_name;  // for a linked clone "base-1-disk-0/vm-2-disk-0": the part before the slash

  // kInvalidArgument for anything that Proxmox would not name so.
  static Result<VolumeName> Parse(std::string_view text);

  std::string Text() const;      // with the base part
  std::string LeafText() const;  // without it: vm-2-disk-0

  bool IsCloudInit() const { return rest == "cloudinit"; }
  bool IsVmState() const { return rest.starts_with("state-"); }
  bool IsFleecing() const { return rest.starts_with("fleece-"); }
  // Belongs to the VM's consistency group: an ordinary disk, attached or not.
  bool IsGroupMember() const { return !is_base && !IsCloudInit() && !IsVmState() && !IsFleecing(); }
};

// The FlexVol of a volume. kInvalidArgument when the name would be longer than ONTAP's 203
// characters.
Result<std::string> FlexVolName(std::string_view prefix, const VolumeName& name);
// The name under which releases before this one stored it, when that differs and was possible:
// state names lost their '-' and '.' there. Only to be read, and only when unmarked.
std::optional<std::string> LegacyFlexVolName(std::string_view prefix, const VolumeName& name);
// The way back, without the base part; nothing for a FlexVol that is not ours by name.
std::optional<VolumeName> VolumeNameOfFlexVol(std::string_view prefix, std::string_view flexvol);

// Patterns for ONTAP queries ('|' any of, '*' any text).
std::string FlexVolPattern(std::string_view prefix);
std::string FlexVolPatternOfVm(std::string_view prefix, std::uint64_t vmid);

// A FlexVol that is deleted as far as Proxmox knows, and waits for that on the array; outside the
// names of volumes. `tag` tells one from another.
std::string ParkedName(std::string_view prefix, std::string_view tag);
std::string ParkedPattern(std::string_view prefix);

// The consistency group of a VM's disks.
std::string GroupName(std::string_view prefix, std::uint64_t vmid);

// The array's name of a Proxmox snapshot, and back (nothing for a snapshot that Proxmox did not
// make).
std::string ArraySnapshotName(std::string_view snapshot);
std::optional<std::string> PveSnapshotName(std::string_view array_name);
inline constexpr std::string_view kBaseSnapshot = "pve_base";

}  // namespace ontapnvme::pve
