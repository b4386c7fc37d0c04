// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/setting_changes.h"

#include <algorithm>
#include <functional>

#include "pve/disk_spec.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {
namespace {

constexpr std::size_t kNamed = 5;

// Counts what was changed and what was not, and says so in one line.
class Summary {
 public:
  void Add(const std::string& object, const Status& status) {
    ++all_;
    if (status.ok()) return;
    if (++failed_ <= kNamed) names_ += (names_.empty() ? "" : ", ") + object;
    if (reason_.empty()) reason_ = status.error().Line();
  }
  void Tell(Log& log, const std::string& what) const {
    const std::string all = std::to_string(all_);
    if (failed_ == 0) {
      log.Info(what + ": changed on " + all + " objects");
      return;
    }
    log.Warning(what + ": not changed on " + std::to_string(failed_) + " of " + all + " objects (" +
                names_ + (failed_ > kNamed ? ", …" : "") + "): " + reason_ +
                "; set it once more when the cause is gone");
  }

 private:
  std::size_t all_ = 0;
  std::size_t failed_ = 0;
  std::string names_;
  std::string reason_;
};

Status ChangeGroups(Context& context, const Deadline& deadline) {
  const auto& config = context.config;
  TRY(const auto groups, context.groups.List(config.prefix + "pve_cg_vm_*", deadline));
  Summary summary;
  for (const auto& group : groups) {
    const bool is_ours =
        std::all_of(group.members.begin(), group.members.end(), [&](const auto& member) {
          return VolumeNameOfFlexVol(config.prefix, member.volume_name) &&
                 !context.ownership.IsForeign(member.comment);
        });
    if (!is_ours || group.members.empty()) continue;
    summary.Add(group.name,
                context.groups.SetSnapshotPolicy(group.uuid, config.snapshot_policy, deadline));
  }
  summary.Tell(context.log, "snapshot_policy");
  return {};
}

Status ChangeVolumes(Context& context, const ontap::FlexVolSettings& settings,
                     const std::string& what, const Deadline& deadline) {
  const auto& config = context.config;
  TRY(const auto volumes, context.volumes.List(FlexVolPattern(config.prefix), deadline));
  Summary summary;
  for (const auto& volume : volumes) {
    const auto name = VolumeNameOfFlexVol(config.prefix, volume.name);
    if (!name || context.ownership.IsForeign(volume.comment)) continue;
    summary.Add(name->LeafText(), context.volumes.ApplySettings(volume.uuid, settings, deadline));
  }
  summary.Tell(context.log, what);
  return {};
}

}  // namespace

Status ApplySettingChanges(Context& context, FactSource& facts, const StorageConfig& before,
                           const Deadline& deadline) {
  const auto& config = context.config;
  ontap::FlexVolSettings settings;
  std::string what;
  if (QosPolicyOf(before) != QosPolicyOf(config)) {
    settings.qos_policy = QosPolicyOf(config);
    what = "QoS policy";
  }
  if (before.is_snapshot_autodelete_on != config.is_snapshot_autodelete_on) {
    settings.is_snapshot_autodelete_on = config.is_snapshot_autodelete_on;
    settings.autodelete_spared_prefix = kSparedSnapshots;
    what += what.empty() ? "snapshot_autodelete" : " and snapshot_autodelete";
  }
  const bool is_policy_changed = before.snapshot_policy != config.snapshot_policy;
  if (what.empty() && !is_policy_changed) return {};
  // The form of a change depends on the release.
  if (const auto known = facts.Read(deadline); !known.ok()) return known.error();
  if (!what.empty()) TRY_STATUS(ChangeVolumes(context, settings, what, deadline));
  return is_policy_changed ? ChangeGroups(context, deadline) : Status();
}

}  // namespace ontapnvme::pve
