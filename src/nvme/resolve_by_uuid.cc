// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/resolve_by_uuid.h"

#include "nvme/kernel/kernel_names.h"
#include "nvme/topology.h"

namespace ontapnvme::nvme {
namespace {

// The name that udev's link gives, when it is that of a head and the head has the UUID.
Result<std::string> ByLink(const RootedFiles& sys, const RootedFiles& dev, const Uuid& uuid) {
  const auto target = dev.Link("disk/by-id/nvme-uuid." + uuid.Text());
  if (!target) return Error(ErrorCode::kNotFound, "no by-id link");
  const std::string name = target->substr(target->rfind('/') + 1);
  // Kernel names are reused, and a link may outlive its device by a moment.
  if (!ParseHeadName(name) || Topology(sys).UuidOf(BlockDirectory(name)) != uuid) {
    return Error(ErrorCode::kNotFound, "by-id link to '" + CleanText(name, 32) + "' is stale");
  }
  return name;
}

Result<std::string> ByScan(const RootedFiles& sys, const WantedDevice& wanted) {
  const Topology topology(sys);
  TRY(const auto heads, topology.Heads(""));
  std::string elsewhere;
  for (const auto& head : heads) {
    if (topology.UuidOf(head.directory) != wanted.uuid) continue;
    if (head.subsystem_nqn == wanted.subsystem_nqn) return head.name;
    elsewhere = head.name;
  }
  if (!elsewhere.empty()) return elsewhere;
  return Error(ErrorCode::kNotFound,
               "none of " + std::to_string(heads.size()) + " namespaces in sysfs has this UUID");
}

}  // namespace

Result<std::string> ResolveByUuid(const RootedFiles& sys, const RootedFiles& dev,
                                  const WantedDevice& wanted) {
  auto linked = ByLink(sys, dev, wanted.uuid);
  if (linked) return linked;
  auto scanned = ByScan(sys, wanted);
  // Not being able to look is another answer than having looked in vain.
  if (!FailedWith(scanned, ErrorCode::kNotFound)) return scanned;
  return Error(ErrorCode::kDeviceMissing,
               linked.error().sentence() + ", " + scanned.error().sentence());
}

}  // namespace ontapnvme::nvme
