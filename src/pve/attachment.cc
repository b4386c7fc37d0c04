// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/attachment.h"

#include "pve/disk_lookup.h"
#include "pve/disk_spec.h"

namespace ontapnvme::pve {
namespace {

// How long an array whose disks can be activated without it may take to answer.
constexpr Duration kSilentAfter{5000};
constexpr std::chrono::minutes kRegisterAgainAfter{10};

Status RequireOnline(const VolumeName& name, const ontap::NvmeNamespace& ns) {
  if (ns.container_state == "volume_offline" || ns.container_state == "aggregate_offline") {
    return Error(ErrorCode::kUnavailable, "volume '" + name.Text() + "' is offline on the array")
        .With("container_state", ns.container_state)
        .Try("bring FlexVol '" + ns.volume_name + "' or its aggregate online");
  }
  if (ns.state == "space_error") {
    return Error(ErrorCode::kNoSpace, "volume '" + name.Text() + "' is out of space on the array")
        .With("flexvol", ns.volume_name)
        .Try("grow the FlexVol or free space on its aggregate, then bring the namespace online");
  }
  if (!ns.state.empty() && ns.state != "online") {
    return Error(ErrorCode::kUnavailable, "volume '" + name.Text() + "' is not online on the array")
        .With("state", ns.state)
        .Try("look at the namespace in FlexVol '" + ns.volume_name + "'");
  }
  return {};
}

}  // namespace

nvme::WantedDevice WantedDeviceOf(const Context& context, const ArrayFacts& facts,
                                  const ontap::NvmeNamespace& ns) {
  return {.uuid = ns.uuid,
          .subsystem_nqn = facts.subsystem_nqn,
          .size = ns.size,
          .svm_name = context.config.svm,
          .volume_name = ns.volume_name};
}

nvme::Device DeviceAt(const std::string& path) {
  nvme::Device device;
  device.path = path;
  device.name = path.substr(path.rfind('/') + 1);
  return device;
}

Status RequireUnusedHere(Context& context, const VolumeName& name,
                         const nvme::WantedDevice& wanted) {
  const auto device = context.host.FindAnySize(wanted);
  if (FailedWith(device, ErrorCode::kDeviceMissing)) return {};
  if (!device.ok()) {
    return device.error().Wrap("cannot tell whether volume '" + name.Text() + "' is in use");
  }
  const auto usage = context.host.Usage(*device);
  if (!usage.is_used) return {};
  return Error(ErrorCode::kBusy, "volume '" + name.Text() + "' is in use on this node")
      .Because(usage.by)
      .With("device", device->path)
      .Try("stop what uses it, then try again");
}

Status Attachment::ActivateStorage(const Deadline& deadline) {
  TRY(const auto identity, context_->host.Identity());
  TRY(const auto facts, facts_->ReadFor(identity.host_nqn, deadline));
  const Status connected = paths_->Ensure(facts, deadline);
  if (FailedWith(connected, ErrorCode::kUnauthenticated)) {
    return ConnectWithNewSecrets(facts, connected, deadline);
  }
  if (!FailedWith(connected, ErrorCode::kUnavailable)) return connected;
  // The LIFs may have moved since they were remembered.
  const auto fresh = facts_->Refresh(identity.host_nqn, deadline);
  const bool is_worth_it = fresh.ok() && (fresh->lif_addresses != facts.lif_addresses ||
                                          fresh->subsystem_nqn != facts.subsystem_nqn);
  return is_worth_it ? paths_->Ensure(*fresh, deadline) : connected;
}

Status Attachment::ConnectWithNewSecrets(const ArrayFacts& facts, const Status& refusal,
                                         const Deadline& deadline) {
  auto& context = *context_;
  const auto& secrets = context.secrets;
  // A node that has lost its secrets must not take them away from the array as well.
  const bool has_any = !secrets.dhchap_host_secret.empty() || !secrets.tls_psk.empty();
  // Where new ones do not help, the reason is another one, and will be at the next poll.
  if (!has_any || !turns_.Take("registration", kRegisterAgainAfter, deadline.clock())) {
    return refusal;
  }
  context.log.Warning(
      "the array has other secrets for this node than the storage: registering host "
      "NQN '" +
      facts.host_nqn + "' with subsystem '" + context.config.subsystem + "' anew");
  if (const auto added = facts_->RegisterAnew(facts, deadline); !added.ok()) {
    return added.error().Wrap("cannot give the array the changed secrets of this node");
  }
  return paths_->Ensure(facts, deadline);
}

Result<std::string> Attachment::Activate(const VolumeName& name, const Deadline& deadline) {
  auto& context = *context_;
  const auto remembered = context.disk_memory.Find(name);
  const auto ns =
      RequireNamespace(context, name, remembered ? deadline.Within(kSilentAfter) : deadline);
  if (!ns.ok()) {
    const bool may_remember = remembered && IsArraySilent(ns.error());
    return may_remember ? ActivateRemembered(name, *remembered, ns.error()) : ns.error();
  }
  TRY_STATUS(RequireOnline(name, *ns));
  auto device = Attach(name, *ns, deadline);
  if (!device.ok()) {
    return device.error().Wrap("cannot activate volume '" + name.Text() + "'");
  }
  return Link(name, *device);
}

Result<std::string> Attachment::ActivateRemembered(const VolumeName& name, const Uuid& ns,
                                                   const Error& silence) {
  auto& context = *context_;
  const auto facts = facts_->Remembered();
  if (!facts) return silence;
  TRY(const auto flexvol, FlexVolName(context.config.prefix, name));
  nvme::WantedDevice wanted;
  wanted.uuid = ns;
  wanted.subsystem_nqn = facts->subsystem_nqn;
  wanted.svm_name = context.config.svm;
  wanted.volume_name = flexvol;
  const auto device = context.host.FindAnySize(wanted);
  if (!device.ok()) {
    return silence
        .Wrap("cannot activate volume '" + name.Text() +
              "': the array's management LIF does not answer, and its device is not here")
        .With("device", device.error().Line())
        .Try("bring the management LIF back, or this node's paths to the data LIFs");
  }
  context.log.Warning("the array does not answer: volume '" + name.Text() +
                      "' is activated as the namespace that the cluster remembers it to be");
  return Link(name, *device);
}

Result<std::string> Attachment::Link(const VolumeName& name, const nvme::Device& device) {
  auto& context = *context_;
  if (device.live_paths == 0) {
    return Error(ErrorCode::kUnavailable, "cannot activate volume '" + name.Text() + "'")
        .Because("every path to its device is down")
        .With("device", device.path)
        .With("paths", device.path_states)
        .Try("look at the network between this node and the data LIFs, port 4420");
  }
  TRY_STATUS(context.links.Point(LinkName(name), device.path));
  return context.links.Path(LinkName(name));
}

Result<nvme::Device> Attachment::Attach(const VolumeName& name, const ontap::NvmeNamespace& ns,
                                        const Deadline& deadline) {
  auto& context = *context_;
  TRY(auto facts, facts_->Read(deadline));
  if (ns.subsystem_uuid && ns.subsystem_uuid != facts.subsystem_uuid) {
    // Perhaps the subsystem was made anew since it was remembered.
    TRY(const auto identity, context.host.Identity());
    TRY(facts, facts_->Refresh(identity.host_nqn, deadline));
  }
  const auto wanted = WantedDeviceOf(context, facts, ns);
  const bool is_mapped_here = ns.subsystem_uuid == facts.subsystem_uuid;
  if (ns.subsystem_uuid && !is_mapped_here) {
    return Error(ErrorCode::kConflict,
                 "volume '" + name.Text() + "' is mapped to another subsystem")
        .With("mapped_to", ns.subsystem_name)
        .With("expected", context.config.subsystem)
        .Try("unmap it there first");
  }
  if (is_mapped_here) {
    auto present = context.host.Find(wanted);
    if (present.ok()) return present;
  }
  // Armed before anything is done about it, so that no event is missed.
  const auto watch = context.host.Arm();
  TRY_STATUS(paths_->Ensure(facts, deadline));
  if (!is_mapped_here) {
    context.log.Info("volume '" + name.Text() + "' was not mapped; mapping it again");
    TRY_STATUS(context.subsystems.Map(ns.uuid, context.config.subsystem, deadline));
  }
  return context.host.WaitFor(*watch, wanted, deadline);
}

// Without a question to the array: this runs when a VM has stopped, also while the array is away.
Status Attachment::Deactivate(const VolumeName& name) {
  auto& context = *context_;
  const auto target = context.links.Target(LinkName(name));
  if (!target) return {};
  nvme::Device device = DeviceAt(*target);
  if (const auto facts = facts_->Remembered()) device.subsystem_nqn = facts->subsystem_nqn;
  const auto flushed = context.host.FlushCache(device);
  if (!flushed.ok()) context.log.Debug(flushed.error().Line());
  return context.links.Remove(LinkName(name));
}

Status Attachment::Resize(const VolumeName& name, std::uint64_t size_bytes,
                          const Deadline& deadline) {
  auto& context = *context_;
  const ByteCount size = ByteCount{size_bytes}.RoundUp(kBlockBytes);
  const std::string failure = "cannot resize volume '" + name.Text() + "'";
  TRY(const auto disk, FindDisk(context, name, deadline));
  if (!disk || !disk->ns) return VolumeNotFound(context, name);
  if (size < disk->ns->size || size > kDiskSizeMax) {
    return Error(ErrorCode::kInvalidArgument, failure)
        .Because(size > kDiskSizeMax ? "a namespace has at most 128 TiB" : "it would shrink")
        .With("size_bytes", std::to_string(disk->ns->size.bytes()))
        .With("asked_bytes", std::to_string(size_bytes))
        .Try("ask for a size between the present one and 128 TiB");
  }
  TRY(const auto facts, facts_->Read(deadline));
  const auto watch = context.host.Arm();
  // The volume first: a namespace that does not fit its volume stops writes. Never smaller than it
  // is, since autosize may have grown it.
  const ByteCount needed = FlexVolSizeFor(size, context.config.snapshot_reserve_percent);
  if (disk->volume.size < needed) {
    auto grown = context.volumes.Resize(disk->volume.uuid, needed,
                                        AutosizeMaximum(context.config, needed), deadline);
    if (!grown.ok()) return grown.error().Wrap(failure);
  }
  if (disk->ns->size < size) {
    auto grown = context.namespaces.Grow(disk->ns->uuid, size, deadline);
    if (!grown.ok()) return grown.error().Wrap(failure);
  }
  auto wanted = WantedDeviceOf(context, facts, *disk->ns);
  wanted.size = size;
  if (FailedWith(context.host.FindAnySize(wanted), ErrorCode::kDeviceMissing)) return {};
  auto seen = context.host.WaitFor(*watch, wanted, deadline);
  if (!seen.ok()) {
    return seen.error().Wrap("volume '" + name.Text() +
                             "' was resized, but this node does not show the new size");
  }
  return {};
}

}  // namespace ontapnvme::pve
