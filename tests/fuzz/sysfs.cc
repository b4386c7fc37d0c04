// SPDX-License-Identifier: AGPL-3.0-or-later
// A machine's sysfs with any bytes in its attributes, which are lines of the input in the order of
// kAttributes; and the identity of the node below /etc.
#include <array>

#include "base/ip_address.h"
#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"
#include "fuzz/target.h"
#include "nvme/identity.h"
#include "nvme/resolve_by_uuid.h"
#include "nvme/topology.h"
#include "nvme/usage.h"

namespace ontapnvme::fuzz {
namespace {

using namespace ontapnvme::nvme;

constexpr const char* kController = "sys/devices/virtual/nvme-fabrics/ctl/nvme0";
constexpr const char* kSubsystem = "sys/devices/virtual/nvme-subsystem/nvme-subsys0";

// Files of one subsystem with one controller and one disk.
struct Machine {
  SysfsTree tree;
  Machine() {
    tree.AddSubsystem(0, kNqn);
    tree.AddController(0, 0, "192.0.2.1");
    tree.AddHead(0, {.uuid = TestUuid(1).Text()});
  }
  void Fill(std::string_view text) const {
    const std::string controller = kController;
    const std::string subsystem = kSubsystem;
    const std::array files{
        controller + "/address",
        controller + "/state",
        controller + "/subsysnqn",
        subsystem + "/subsysnqn",
        subsystem + "/nvme0n1/uuid",
        subsystem + "/nvme0n1/wwid",
        subsystem + "/nvme0n1/size",
        subsystem + "/nvme0n1/nsid",
        subsystem + "/nvme0n1/dev",
        controller + "/nvme0c0n1/ana_state",
        std::string("etc/nvme/hostnqn"),
        std::string("etc/nvme/hostid"),
        std::string("proc/swaps"),
        std::string("proc/self/mountinfo"),
        std::string("sys/module/nvme_core/parameters/multipath"),
    };
    for (const std::string& file : files) tree.Write(file, std::string(Take(text, '\n')));
  }
};

void LookAtDisk(const Topology& topology, const std::string& name) {
  const auto size = topology.SizeOf(name);
  Require(!size || size->bytes() % 512 == 0, "a size is one of sectors");
  const auto nsid = topology.NsidOf(name);
  Require(!nsid || *nsid > 0, "there is no namespace 0");
  (void)topology.SubsystemNqnOf(name);
  (void)topology.ModelOf(name);
}

}  // namespace
}  // namespace ontapnvme::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  using namespace ontapnvme::nvme;
  static const fuzz::Machine machine;
  machine.Fill(fuzz::Text(data, size));
  const RootedFiles sys(machine.tree.sys());
  const RootedFiles proc(machine.tree.proc());
  const RootedFiles etc(machine.tree.Path("etc"));
  const Topology topology(sys);
  const auto controllers = topology.Controllers("");
  fuzz::Require(controllers.ok(), "a strange controller is no failure");
  for (const Controller& one : *controllers)
    (void)ontapnvme::IsSameAddress(one.traddr, "192.0.2.1");
  const auto heads = topology.Heads("");
  // A subsystem that cannot be read may be the one that is asked for.
  if (!heads.ok()) return 0;
  for (const Head& head : *heads) {
    (void)topology.UuidOf(head.directory);
    (void)Describe(topology.PathsOf(head.name, head.subsystem_nqn));
  }
  fuzz::LookAtDisk(topology, "nvme0n1");
  const Status multipath = topology.RequireNativeMultipath();
  if (!multipath.ok()) fuzz::RequireReadable(multipath.error().Line());
  const auto identity = ReadIdentity(etc);
  if (!identity.ok()) fuzz::RequireReadable(identity.error().Line());
  FakeDevices devices;
  Device device;
  device.name = "nvme0n1";
  device.path = "/dev/nvme0n1";
  (void)FindUsage(sys, proc, devices, device);
  return 0;
}
