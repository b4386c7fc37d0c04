// SPDX-License-Identifier: AGPL-3.0-or-later
// Disks as block devices of this node: proven, linked, grown, and let go.
#pragma once

#include <string>

#include "pve/array_facts.h"
#include "pve/context.h"
#include "pve/node_turns.h"
#include "pve/paths.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {

// The device that a namespace must be on this node.
nvme::WantedDevice WantedDeviceOf(const Context& context, const ArrayFacts& facts,
                                  const ontap::NvmeNamespace& ns);

// kBusy while that device is in use on this node; success when this node has no such device.
// What a link points at: path and kernel name, nothing of what is behind it.
nvme::Device DeviceAt(const std::string& path);

// Unknown means in use: a device whose users cannot be told is neither deleted nor reverted from
// under them. The array is not asked: its list of controllers tells which nodes are connected to
// the subsystem, which is always all of them, and nothing of which namespace one of them has open.
Status RequireUnusedHere(Context& context, const VolumeName& name,
                         const nvme::WantedDevice& wanted);

class Attachment {
 public:
  Attachment(Context& context, FactSource& facts, Paths& paths, NodeTurns turns)
      : context_(&context), facts_(&facts), paths_(&paths), turns_(std::move(turns)) {}

  // See Storage::Activate.
  Status ActivateStorage(const Deadline& deadline);
  // See Storage::ActivateVolume.
  Result<std::string> Activate(const VolumeName& name, const Deadline& deadline);
  // See Storage::DeactivateVolume.
  Status Deactivate(const VolumeName& name);
  // See Storage::Resize.
  Status Resize(const VolumeName& name, std::uint64_t size_bytes, const Deadline& deadline);

 private:
  // No path, because the secrets of the storage are not those that this node was registered with:
  // they were changed since. `refusal` is what connecting said.
  Status ConnectWithNewSecrets(const ArrayFacts& facts, const Status& refusal,
                               const Deadline& deadline);
  // While the array does not answer: the namespace that the cluster remembers, proven in-band.
  Result<std::string> ActivateRemembered(const VolumeName& name, const Uuid& ns,
                                         const Error& silence);
  Result<std::string> Link(const VolumeName& name, const nvme::Device& device);
  Result<nvme::Device> Attach(const VolumeName& name, const ontap::NvmeNamespace& ns,
                              const Deadline& deadline);

  Context* context_;
  FactSource* facts_;
  Paths* paths_;
  NodeTurns turns_;
};

}  // namespace ontapnvme::pve
