// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/volume_activation.h"

#include "pve/volume_names.h"

namespace ontapnvme::pve {
namespace {

using catalogue::Mapping;

// How long an array may take to answer whose disks can be activated without it.
constexpr Duration kSilentAfter{5000};

}  // namespace

// What is not proven now is not shown: where a link led to before may be another VM's disk by now.
Result<std::string> VolumeActivation::ActivateVolume(const VolumeName& name,
                                                     const Deadline& deadline) {
  auto link = Activate(name, deadline);
  if (link.ok()) return link;
  const auto removed = node_.links.Remove(node::LinkName(name));
  if (!removed.ok()) log_.Warning(removed.error().Line());
  return link;
}

Result<std::string> VolumeActivation::Activate(const VolumeName& name, const Deadline& deadline) {
  const auto remembered = node_.disks.Find(name);
  auto ns =
      array_.disks().FindNamespace(name, remembered ? deadline.Within(kSilentAfter) : deadline);
  // It answers, but may not list yet what was made a moment ago.
  const bool is_odd =
      ns.is_absent() || (ns.is_unknown() && ns.reason().code() == ErrorCode::kConflict);
  if (remembered && is_odd) ns = array_.disks().FindNamespace(name, deadline);
  if (ns.is_absent()) return VolumeNotFound(config_, name);
  const std::string failure = "cannot activate volume '" + name.Text() + "'";
  if (ns.is_unknown()) {
    const bool may_remember = remembered && catalogue::IsArraySilent(ns.reason());
    return may_remember ? ActivateRemembered(name, *remembered, ns.reason())
                        : ns.reason().Wrap(failure);
  }
  if (ns->mapping == Mapping::kElsewhere) {
    TRY(*ns, RequireNotElsewhere(name, deadline));
  }
  if (ns->fault) return ns->fault->Wrap(failure);
  auto device = Attach(name, *ns, deadline);
  if (!device.ok()) return device.error().Wrap(failure);
  return Link(name, *device);
}

Result<catalogue::DiskNamespace> VolumeActivation::RequireNotElsewhere(const VolumeName& name,
                                                                       const Deadline& deadline) {
  // The subsystem may have been made anew since it was remembered.
  TRY(const auto identity, host_.Identity());
  TRY_STATUS(array_.RefreshTarget(identity.host_nqn, deadline));
  TRY(auto ns, array_.disks().FindNamespace(name, deadline).Require(VolumeNotFound(config_, name)));
  if (ns.mapping != Mapping::kElsewhere) return ns;
  return Error(ErrorCode::kConflict, "cannot activate volume '" + name.Text() + "'")
      .Because("it is mapped to another subsystem")
      .With("mapped_to", ns.mapped_to)
      .With("expected", config_.subsystem)
      .Try("unmap it from subsystem '" + ns.mapped_to + "' on the array, then try again");
}

Result<nvme::Device> VolumeActivation::Attach(const VolumeName& name,
                                              const catalogue::DiskNamespace& ns,
                                              const Deadline& deadline) {
  TRY(const auto target, array_.Target("", deadline));
  const auto wanted = devices_.Wanted(target, ns);
  const bool is_mapped = ns.mapping == Mapping::kHere;
  if (is_mapped) {
    auto present = host_.Find(wanted);
    if (present.ok()) return present;
  }
  // Armed before anything is done about it, so that no event is missed.
  const auto watch = host_.Arm();
  TRY_STATUS(paths_.Ensure(target, deadline));
  if (!is_mapped) {
    log_.Info("volume '" + name.Text() + "' was not mapped; mapping it again");
    TRY_STATUS(array_.disks().Map(ns, deadline));
  }
  return host_.WaitFor(*watch, wanted, deadline);
}

Result<std::string> VolumeActivation::ActivateRemembered(const VolumeName& name, const Uuid& ns,
                                                         const Error& silence) {
  const auto target = array_.RememberedTarget();
  if (!target) return silence;
  TRY(const auto container_name, array_.disks().ContainerName(name));
  const auto device =
      host_.FindAnySize(devices_.Wanted(*target, {.uuid = ns, .container_name = container_name}));
  if (!device.ok()) {
    return silence
        .Wrap("cannot activate volume '" + name.Text() +
              "' while the array does not answer, since its device is not on this node")
        .With("device", device.error().Plain())
        .Try("bring back the management LIF, or this node's paths to the data LIFs");
  }
  log_.Warning("the array does not answer: volume '" + name.Text() +
               "' is activated as the namespace that the cluster remembers it to be");
  return Link(name, *device);
}

Result<std::string> VolumeActivation::Link(const VolumeName& name, const nvme::Device& device) {
  if (device.live_paths == 0) {
    return Error(ErrorCode::kUnavailable, "cannot activate volume '" + name.Text() + "'")
        .Because("every path to its device is down")
        .With("device", device.path)
        .With("paths", device.path_states)
        .Try("check the network between this node and the data LIFs, port 4420");
  }
  if (device.stable_path.empty()) {
    return Error(ErrorCode::kUnavailable, "cannot activate volume '" + name.Text() + "'")
        .Because("udev has made no link in /dev/disk/by-id to its device")
        .With("device", device.path)
        .Try("look at 'systemctl status systemd-udevd'");
  }
  TRY_STATUS(node_.links.Point(node::LinkName(name), device.stable_path));
  return node_.links.Path(node::LinkName(name));
}

// Without a question to the array: this runs when a VM has stopped, also while the array is away.
Status VolumeActivation::DeactivateVolume(const VolumeName& name) {
  const auto path = node_.links.Target(node::LinkName(name));
  if (!path) return {};
  nvme::Device device = host_.DeviceAt(*path);
  if (const auto target = array_.RememberedTarget()) device.subsystem_nqn = target->subsystem_nqn;
  const auto flushed = host_.FlushCache(device);
  if (!flushed.ok()) log_.Debug(flushed.error().Line());
  return node_.links.Remove(node::LinkName(name));
}

Status VolumeActivation::Resize(const VolumeName& name, std::uint64_t size_bytes,
                                const Deadline& deadline) {
  const ByteCount size = ByteCount{size_bytes}.RoundUp(catalogue::kBlockBytes);
  const std::string failure = "cannot resize volume '" + name.Text() + "'";
  TRY(const auto disk, array_.disks().Find(name, deadline).Require(VolumeNotFound(config_, name)));
  if (!disk.ns) return VolumeNotFound(config_, name);
  const bool is_too_large = size > catalogue::kDiskSizeMax;
  if (size < disk.ns->size || is_too_large) {
    return Error(ErrorCode::kInvalidArgument, failure)
        .Because(is_too_large ? "a namespace has at most 128 TiB" : "it would shrink")
        .With("size_bytes", std::to_string(disk.ns->size.bytes()))
        .With("asked_bytes", std::to_string(size_bytes))
        .Try("ask for a size between the present one and 128 TiB");
  }
  TRY(auto wanted, devices_.Wanted(*disk.ns, deadline));
  wanted.size = size;
  const auto watch = host_.Arm();
  const auto grown = array_.disks().Grow(disk, size, deadline);
  if (!grown.ok()) return grown.error().Wrap(failure);
  if (FailedWith(host_.FindAnySize(wanted), ErrorCode::kDeviceMissing)) return {};
  const auto seen = host_.WaitFor(*watch, wanted, deadline);
  if (!seen.ok()) {
    return seen.error().Wrap("volume '" + name.Text() +
                             "' was resized, but this node does not show the new size");
  }
  return {};
}

}  // namespace ontapnvme::pve
