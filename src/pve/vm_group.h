// SPDX-License-Identifier: AGPL-3.0-or-later
// The consistency group of a VM's ordinary disks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pve/context.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

// Groups that may be this VM's, for a query: the usual name, or that with this owner's tag behind
// it.
std::string GroupPattern(const Context& context, std::uint64_t vmid);

class VmGroups {
 public:
  explicit VmGroups(Context& context) : context_(&context) {}

  // The VM's group with its members, if there is one that is ours. One request.
  Result<std::optional<ontap::ConsistencyGroup>> Find(std::uint64_t vmid, const Deadline& deadline);

  // Makes `flexvol_name` a member, and with it whatever ordinary disk of the VM is in no group (an
  // older installation's, or left so by a crash). `siblings` are FlexVols as just listed, with the
  // VM's among them: the group is known from them without asking. Idempotent. One request where the
  // array can change groups with NVMe volumes; where it cannot, the group is deleted and made again
  // with all members.
  Status Join(std::uint64_t vmid, const std::string& flexvol_name,
              const std::vector<ontap::FlexVol>& siblings, const Deadline& deadline);

  // Takes `volume`, as just read, out of the VM's group. Its snapshots stay. Idempotent; a group
  // that is not the VM's is left alone. Where the array cannot change groups as Join.
  Status Leave(std::uint64_t vmid, const ontap::FlexVol& volume, const Deadline& deadline);

 private:
  bool IsOurs(const ontap::ConsistencyGroup& group) const;
  Status Make(std::uint64_t vmid, const std::vector<std::string>& flexvol_names,
              const Deadline& deadline);
  Status Remake(const Uuid& group, std::uint64_t vmid, std::vector<std::string> flexvol_names,
                const Deadline& deadline);

  Context* context_;
};

}  // namespace ontapnvme::pve
