// SPDX-License-Identifier: AGPL-3.0-or-later
// Any answer to any reading call: first a letter for the call, one for the status, then the body;
// a record separator (0x1e) begins the body of the next answer.
#include <array>
#include <functional>

#include "fuzz/rest_rig.h"
#include "ontap/consistency_group.h"
#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/snapshot.h"
#include "ontap/svm.h"

namespace ontapnvme::fuzz {
namespace {

using namespace ontapnvme::ontap;

constexpr std::array kStatuses{200, 200, 200, 201, 204, 400, 401, 403, 404, 409, 429, 500, 503};

void Call(std::size_t number, RestRig& rig) {
  const Deadline deadline = rig.Budget();
  const Uuid uuid = *Uuid::Parse("0000000a-0000-0000-0000-000000000000");
  const std::vector<VolumeRef> volumes{{uuid, "vm_100_disk_0"}, {uuid, "vm_100_disk_1"}};
  Svms svms(rig.rest);
  FlexVols flexvols(rig.rest, "svm1");
  NvmeNamespaces namespaces(rig.rest, "svm1");
  NvmeSubsystems subsystems(rig.rest, "svm1");
  Snapshots snapshots(rig.rest, "svm1");
  ConsistencyGroups groups(rig.rest, "svm1");
  const std::array<std::function<Status()>, 20> calls{
      [&] { return StatusOf(svms.ReadCluster(deadline)); },
      [&] { return StatusOf(svms.Read("svm1", deadline)); },
      [&] { return StatusOf(svms.IsNvmeServiceEnabled("svm1", deadline)); },
      [&] { return StatusOf(svms.ListNvmeTcpLifs("svm1", deadline)); },
      [&] { return StatusOf(svms.ReadAggregate("aggr1", deadline)); },
      [&] { return StatusOf(svms.ReadDelegatedAvailable("svm1", "aggr1", deadline)); },
      [&] { return StatusOf(svms.ReadCapacity("svm1", deadline)); },
      [&] { return StatusOf(svms.QosPolicyExists("svm1", "gold", false, deadline)); },
      [&] { return StatusOf(svms.SnapshotPolicyExists("svm1", "none", deadline)); },
      [&] { return StatusOf(flexvols.Find("vm_100_disk_0", deadline)); },
      [&] { return StatusOf(flexvols.List("vm_*", deadline, CloneParents::kRead)); },
      [&] { return StatusOf(namespaces.FindByVolume("vm_100_disk_0", deadline)); },
      [&] { return StatusOf(namespaces.FindByUuid(uuid, deadline)); },
      [&] { return StatusOf(namespaces.List("vm_*", deadline)); },
      [&] { return StatusOf(subsystems.Find("pve", deadline)); },
      [&] { return StatusOf(snapshots.List(volumes, deadline)); },
      [&] { return StatusOf(snapshots.FindByName(volumes, "s", deadline)); },
      [&] { return StatusOf(groups.List("pve_cg_vm_*", deadline)); },
      [&] { return StatusOf(groups.FindSnapshot(uuid, "s", deadline)); },
      [&] { return StatusOf(groups.FindSnapshots("pve_cg_vm_*", "s", deadline)); },
  };
  RequireReadable(calls[number % calls.size()]());
}

}  // namespace
}  // namespace ontapnvme::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme::fuzz;
  if (size < 2) return 0;
  RestRig rig;
  rig.transport.status = kStatuses[data[1] % kStatuses.size()];
  rig.transport.bodies = Text(data + 2, size - 2);
  Call(data[0], rig);
  rig.RequireReadableLog();
  return 0;
}
