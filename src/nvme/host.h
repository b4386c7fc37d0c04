// SPDX-License-Identifier: AGPL-3.0-or-later
// This node's side of the fabric, as the layer above needs it: who we are, which paths exist, which
// block device a namespace is, and who uses it. The one interface that tests of the layer above
// replace.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/uuid.h"

namespace ontapnvme::nvme {

struct HostIdentity {
  std::string host_nqn;  // /etc/nvme/hostnqn
  std::string host_id;   // /etc/nvme/hostid
};

// One connection to a subsystem: a controller.
struct Controller {
  std::string name;  // nvme0
  std::string subsystem_nqn;
  std::string state;      // live, connecting, resetting, deleting, …
  std::string transport;  // tcp
  std::string traddr;
  std::string trsvcid;
  std::string host_nqn;
  bool is_live() const { return state == "live"; }
};

// What a namespace must be before its device is handed out.
struct WantedDevice {
  Uuid uuid;
  std::string subsystem_nqn;
  ByteCount size;
  // ONTAP's own labels; compared where the device answers them, ignored where it does not.
  std::string svm_name;
  std::string volume_name;
};

struct Device {
  std::string name;  // nvme0n2; the number behind the n is not the NSID
  std::string path;  // /dev/nvme0n2
  // udev's link to it by what it is, /dev/disk/by-id/nvme-uuid.…: a kernel name is given to another
  // namespace when this one is gone, the link then leads nowhere. Empty while udev has made none.
  std::string stable_path;
  Uuid uuid;
  std::string subsystem_nqn;
  ByteCount size;
  unsigned live_paths = 0;  // 0: proven all the same, but opening it would wait
  std::string path_states;  // "nvme0 live/optimized, nvme1 connecting/optimized"
  std::string found_by;     // the strategy that found it
};

struct PathSpec {
  std::string traddr;  // address, not a name
  std::uint16_t port = 4420;
};

struct ConnectSpec {
  std::string subsystem_nqn;
  HostIdentity host;
  std::vector<PathSpec> paths;  // all are connected at the same time
  Secret dhchap_host_secret;
  Secret dhchap_controller_secret;
  bool is_tls = false;
  Secret tls_psk;
};

struct PathResult {
  std::string traddr;
  Status status;  // success also when the path was there already
};

// Who has a device open or stacked on this node. Unknown counts as used.
struct DeviceUsage {
  bool is_used = false;
  std::string by;  // "process 1234 (kvm)", "holder dm-3", "mounted at /mnt", or why it is unknown
  // Nothing but processes that read it: scanners of block devices (vgs, multipathd, blkid) do so for
  // a moment after every change, guests with a read-only disk for as long as they run.
  bool may_pass = false;
};

// Armed before an action whose effect it is to report; sees what happens from then on.
class Watch {
 public:
  virtual ~Watch() = default;
};

class Host {
 public:
  virtual ~Host() = default;

  // kUnsupported when the identity files are missing or malformed, when the kernel has no NVMe/TCP,
  // or when native multipath is off; the hint names the file or the kernel parameter to set.
  virtual Result<HostIdentity> Identity() = 0;

  // The addresses of this node's interfaces; empty when the kernel cannot be asked.
  virtual std::vector<std::string> LocalAddresses() = 0;

  // Controllers of that subsystem, in any state. Reads sysfs only: no admin command, no process.
  virtual Result<std::vector<Controller>> Controllers(const std::string& subsystem_nqn) = 0;
  // Sets what a controller of that subsystem should have and may lack (ctrl_loss_tmo off, so that
  // an outage of any length is survived). Writes only where the value differs. Best effort.
  virtual void RepairControllers(const std::string& subsystem_nqn) = 0;
  // Connects the given paths in helper processes, at the same time. One result per path.
  virtual std::vector<PathResult> Connect(const ConnectSpec& spec, const Deadline& deadline) = 0;
  // Disconnects every controller of that subsystem. The caller has made sure that nothing is in
  // use.
  virtual Status Disconnect(const std::string& subsystem_nqn, const Deadline& deadline) = 0;

  virtual std::unique_ptr<Watch> Arm() = 0;

  // The device of that namespace, proven and ready to be handed out: UUID, subsystem NQN, size,
  // labels where there are any, and udev's link to it. kDeviceMissing: no strategy found it (each
  // one's report is a fact), or not all of it is there yet; it may still be on this node, see
  // HasNamespace. kConflict: found, but it is not what was asked for (both values are facts). Does
  // not wait, starts no process.
  virtual Result<Device> Find(const WantedDevice& wanted) = 0;
  // The same without udev's link, and without comparing the size, which is returned as the kernel
  // has it: for telling how large an open device is now.
  virtual Result<Device> FindAnySize(const WantedDevice& wanted) = 0;
  // Whether a namespace with that UUID is on this node. False is a proof: every namespace of the
  // node was asked. An error when one of them, or sysfs itself, could not be read.
  virtual Result<bool> HasNamespace(const Uuid& uuid) = 0;
  // The device that a link of this storage leads to: path and kernel name, nothing about what is
  // behind it. Without a name when the link leads nowhere.
  virtual Device DeviceAt(const std::string& path) = 0;
  // Waits until Find succeeds: by the kernel's events since `watch` was armed, with one rescan of
  // this subsystem's controllers after a short silence. A wrong size is waited for, a wrong NQN or
  // label not.
  virtual Result<Device> WaitFor(Watch& watch, const WantedDevice& wanted,
                                 const Deadline& deadline) = 0;
  // Waits until no device of that namespace is left on this node.
  virtual Status WaitGone(Watch& watch, const Uuid& uuid, const Deadline& deadline) = 0;

  virtual DeviceUsage Usage(const Device& device) = 0;
  // Whether any device of that subsystem is used on this node, whichever storage it belongs to.
  virtual DeviceUsage SubsystemUsage(const std::string& subsystem_nqn) = 0;
  // Writes back and drops what the kernel has cached of the device (BLKFLSBUF).
  virtual Status FlushCache(const Device& device) = 0;
};

}  // namespace ontapnvme::nvme
