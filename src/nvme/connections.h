// SPDX-License-Identifier: AGPL-3.0-or-later
// The connections of this node to one subsystem: made, kept in order, and taken away.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "nvme/helper/helper_process.h"
#include "nvme/host.h"
#include "nvme/kernel/rooted_files.h"

namespace ontapnvme::nvme {

class Connections {
 public:
  // Both are borrowed; `sys` is /sys.
  Connections(const RootedFiles& sys, Helpers& helpers) : sys_(&sys), helpers_(&helpers) {}

  // As Host::Connect. A path that has a controller already, in whatever state but dying, is a
  // success without a process: the kernel reconnects it by itself.
  std::vector<PathResult> Connect(const ConnectSpec& spec, const Deadline& deadline);
  // As Host::Disconnect. Each controller's subsystem is checked once more by the helper, since a
  // kernel name may have been given to another controller by then.
  Status Disconnect(const std::string& subsystem_nqn, const Deadline& deadline);
  // As Host::RepairControllers.
  void Repair(const std::string& subsystem_nqn);
  // Asks every live controller of that subsystem to list its namespaces again. Only queues the work
  // in the kernel; best effort.
  void Rescan(const std::string& subsystem_nqn);

 private:
  const RootedFiles* sys_;
  Helpers* helpers_;
};

// What the errno of a refused connection means to an operator. `detail` is what the helper said.
Error ConnectError(const ConnectSpec& spec, const PathSpec& path, int code,
                   const std::string& detail);

}  // namespace ontapnvme::nvme
