// SPDX-License-Identifier: AGPL-3.0-or-later
// What the kernel knows of NVMe on this node, read from sysfs: no admin command, no process, no
// root. Layout as in kernels 6.1 to 6.12 (drivers/nvme/host/sysfs.c, core.c, multipath.c).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_count.h"
#include "base/result.h"
#include "base/uuid.h"
#include "nvme/host.h"
#include "nvme/kernel/rooted_files.h"

namespace ontapnvme::nvme {

// A namespace as applications see it: the multipath head below its subsystem.
struct Head {
  std::string name;  // nvme0n2
  std::string subsystem_nqn;
  std::string directory;  // its folder below /sys
};

// One way to a head: the hidden disk of one controller.
struct NamespacePath {
  std::string controller;        // nvme1
  std::string controller_state;  // live, connecting, …
  std::string ana_state;         // empty where the target has no ANA
  // The kernel sends I/O only through such a path (multipath.c, nvme_path_is_disabled).
  bool IsLive() const {
    return controller_state == "live" &&
           (ana_state.empty() || ana_state == "optimized" || ana_state == "non-optimized");
  }
};

class Topology {
 public:
  // `sys` is /sys; it is borrowed.
  explicit Topology(const RootedFiles& sys) : sys_(&sys) {}

  // Controllers of that subsystem, or all of them for an empty NQN. Empty when no NVMe driver is
  // loaded. A controller that goes away while it is read is left out.
  Result<std::vector<Controller>> Controllers(std::string_view subsystem_nqn) const;

  // Heads of that subsystem, or of all for an empty NQN. Nothing of each head is read but its name.
  // An error when one of the subsystems cannot be read: its heads may be those that are asked for.
  Result<std::vector<Head>> Heads(std::string_view subsystem_nqn) const;

  // Whether a namespace with that UUID is on this node. False only when every namespace of the node
  // could be asked and answered with another: this is the proof that nobody here can be using it.
  Result<bool> HasNamespace(const Uuid& uuid) const;

  // The paths to that head: one small read per controller of the node, however many namespaces
  // there are.
  std::vector<NamespacePath> PathsOf(std::string_view head_name,
                                     std::string_view subsystem_nqn) const;

  // Identity of a block device folder: `uuid`, else what `wwid` says. Without a UUID the kernel
  // prints the NGUID in `uuid` (core.c, uuid_show), so either way these are 16 unique bytes.
  std::optional<Uuid> UuidOf(const std::string& directory) const;
  // The same; nothing only when the folder has neither of the two.
  Result<std::optional<Uuid>> UuidIfAny(const std::string& directory) const;
  std::optional<ByteCount> SizeOf(std::string_view name) const;
  std::string SubsystemNqnOf(std::string_view name) const;
  std::string ModelOf(std::string_view name) const;
  std::optional<std::uint32_t> NsidOf(std::string_view name) const;

  // kUnsupported when the kernel is set to show every path as a disk of its own: which of
  // them is used would be chance, and an outage of that one an I/O error in the guest.
  Status RequireNativeMultipath() const;

 private:
  std::optional<Controller> ReadController(const std::string& name,
                                           std::string_view subsystem_nqn) const;
  const RootedFiles* sys_;
};

// Splits "traddr=10.0.0.1,trsvcid=4420,host_traddr=…,src_addr=…" into the two that name a path.
void ParseAddress(std::string_view text, Controller& controller);
// "nvme1 live/optimized, nvme2 connecting/non-optimized", or "none".
std::string Describe(const std::vector<NamespacePath>& paths);

// Folder of a block device below /sys.
inline std::string BlockDirectory(std::string_view name) {
  return "class/block/" + std::string(name);
}

}  // namespace ontapnvme::nvme
