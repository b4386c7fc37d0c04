// SPDX-License-Identifier: AGPL-3.0-or-later
// Proxmox's names of volumes. The same grammar stands once more in the Perl shim, which must parse
// names without the native module; tests/tables/volnames.tsv holds both to one table.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ontapnvme {

struct VolumeName {
  bool is_base = false;  // base-…, a template's disk
  std::uint64_t vmid = 0;
  // What follows "vm-<vmid>-": disk-0, cloudinit, state-x, fleece-1, anything.
  std::string rest;
  // For a linked clone, "base-1-disk-0/vm-2-disk-0": the part before the slash.
  std::string base_name;

  // kInvalidArgument for anything that Proxmox would not name so.
  static Result<VolumeName> Parse(std::string_view text);

  std::string Text() const;      // with the base part
  std::string LeafText() const;  // without it: vm-2-disk-0

  bool IsCloudInit() const { return rest == "cloudinit"; }
  bool IsVmState() const { return rest.starts_with("state-"); }
  bool IsFleecing() const { return rest.starts_with("fleece-"); }
  // Belongs to the VM's consistency group: an ordinary disk, attached or not.
  bool IsGroupMember() const { return !is_base && !IsCloudInit() && !IsVmState() && !IsFleecing(); }

  // The base part adds nothing to what a volume is.
  bool operator==(const VolumeName& other) const {
    return is_base == other.is_base && vmid == other.vmid && rest == other.rest;
  }
  std::strong_ordering operator<=>(const VolumeName& other) const {
    if (const auto by_vmid = vmid <=> other.vmid; by_vmid != 0) return by_vmid;
    if (const auto by_kind = is_base <=> other.is_base; by_kind != 0) return by_kind;
    return rest <=> other.rest;
  }
};

}  // namespace ontapnvme
