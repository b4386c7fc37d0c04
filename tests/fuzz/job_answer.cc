// SPDX-License-Identifier: AGPL-3.0-or-later
// Any answer to a change, and any answers of the job that it became: a letter for the change, a
// line that is the Location, then the bodies, with a record separator (0x1e) between.
#include <array>
#include <functional>

#include "fuzz/rest_rig.h"
#include "ontap/consistency_group.h"
#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/snapshot.h"

namespace ontapnvme::fuzz {
namespace {

using namespace ontapnvme::ontap;

void Call(std::size_t number, RestRig& rig) {
  const Deadline deadline = rig.Budget();
  const Uuid uuid = *Uuid::Parse("0000000a-0000-0000-0000-000000000000");
  FlexVols flexvols(rig.rest, "svm1");
  NvmeNamespaces namespaces(rig.rest, "svm1");
  NvmeSubsystems subsystems(rig.rest, "svm1");
  Snapshots snapshots(rig.rest, "svm1");
  ConsistencyGroups groups(rig.rest, "svm1");
  FlexVolSpec spec;
  spec.name = "v";
  FlexCloneSpec clone;
  clone.name = "v";
  const std::array<std::function<Status()>, 12> calls{
      [&] { return StatusOf(flexvols.Create(spec, deadline)); },
      [&] { return StatusOf(flexvols.Clone(clone, deadline)); },
      [&] { return flexvols.Resize(uuid, GiB(2), deadline); },
      [&] { return flexvols.Delete(uuid, false, deadline); },
      [&] { return flexvols.Restore(uuid, "s", deadline); },
      [&] { return StatusOf(namespaces.Create("v", "n", GiB(1), "", deadline)); },
      [&] { return StatusOf(subsystems.Create("pve", "", deadline)); },
      [&] { return subsystems.AddHost(uuid, "nqn.2014-08.x:y", {}, deadline); },
      [&] { return subsystems.Map(uuid, "pve", deadline); },
      [&] { return snapshots.Create(uuid, "s", "", deadline); },
      [&] { return groups.CreateSnapshot(uuid, "s", "", deadline); },
      [&] { return groups.AddMembers(uuid, {"v"}, deadline); },
  };
  RequireReadable(calls[number % calls.size()]());
}

}  // namespace
}  // namespace ontapnvme::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme::fuzz;
  if (size < 1) return 0;
  constexpr std::array kFirst{202, 202, 202, 201, 200, 400, 409, 503};
  RestRig rig;
  std::string_view rest = Text(data + 1, size - 1);
  rig.transport.first_status = kFirst[(data[0] >> 4U) % kFirst.size()];
  rig.transport.headers = Take(rest, '\n');
  rig.transport.bodies = rest;
  Call(data[0] & 0x0fU, rig);
  rig.RequireReadableLog();
  return 0;
}
