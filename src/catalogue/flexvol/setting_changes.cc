// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/setting_changes.h"

#include "catalogue/change_summary.h"
#include "catalogue/flexvol/facts/disk_spec.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

Status ChangeGroups(const Session& session, const Deadline& deadline) {
  TRY(const auto groups, session.groups.List(deadline));
  ChangeSummary summary;
  for (const auto& group : groups) {
    summary.Add(group->name,
                session.groups.SetSnapshotPolicy(group, session.config.snapshot_policy, deadline));
  }
  summary.Write(session.log, "snapshot_policy");
  return {};
}

Status ChangeVolumes(const Session& session, const ontap::FlexVolSettings& settings,
                     const std::string& what, const Deadline& deadline) {
  TRY(const auto volumes, session.gate.ListAllVolumes(deadline));
  ChangeSummary summary;
  for (const auto& volume : volumes) {
    const auto applied = session.gate.ApplySettings(volume, settings, deadline);
    Status status = applied.ok() ? Status() : Status(applied.error());
    if (applied.ok() && !applied->empty()) status = applied->front().why;
    summary.Add(volume->name.LeafText(), status);
  }
  summary.Write(session.log, what);
  return {};
}

Status ChangeRansomwareProtection(const Session& session, const Deadline& deadline) {
  const bool is_on = session.config.ransomware_protection == RansomwareSetting::kOn;
  TRY(const auto volumes, session.gate.ListAllVolumes(deadline));
  ChangeSummary summary;
  for (const auto& volume : volumes) {
    summary.Add(volume->name.LeafText(),
                session.gate.SetRansomwareProtection(volume, is_on, deadline));
  }
  summary.Write(session.log, "ransomware_protection");
  return {};
}

Error OtherDisks(const StorageConfig& config, const std::string& reason) {
  return Error(ErrorCode::kConflict, "setting 'vserver' names '" + config.svm +
                                         "', which is not the SVM that holds the storage's disks")
      .Because(reason)
      .Try(
          "name the SVM that it was, whatever it is called now ('vserver show -fields uuid'); for "
          "another one add another storage");
}

}  // namespace

Status RequireSameDisks(const Session& session, ontap::Svms& svms, const Deadline& deadline) {
  const auto& config = session.config;
  TRY(const auto svm, svms.Read(config.svm, deadline));
  const auto known = session.facts.RememberedUnderAnySettings();
  if (known && svm.uuid == known->svm_uuid) return {};
  // This node was not connected since it was started, or to a storage of that name before; what the
  // cluster remembers is of the disks that are there.
  const auto remembered = session.memory.All();
  if (remembered.empty()) {
    return OtherDisks(config,
                      "nothing shows that it is: this node does not know its UUID, and there "
                      "is no disk to go by");
  }
  TRY(const auto disks, session.gate.ListDisks(std::nullopt, deadline));
  for (const auto& disk : disks) {
    const auto same = remembered.find(disk.volume->name.LeafText());
    if (disk.ns && same != remembered.end() && same->second == (*disk.ns)->uuid) return {};
  }
  return OtherDisks(config, "it holds none of the disks that the cluster remembers");
}

Status ApplySettingChanges(const Session& session, const StorageConfig& before,
                           const Deadline& deadline) {
  const auto& config = session.config;
  ontap::FlexVolSettings settings;
  std::string what;
  if (QosPolicyOf(before) != QosPolicyOf(config)) {
    settings.qos_policy = QosPolicyOf(config);
    what = "QoS policy";
  }
  if (before.is_snapshot_autodelete_on != config.is_snapshot_autodelete_on) {
    const auto wanted = MakeAutodeleteSettings(config);
    settings.is_snapshot_autodelete_on = wanted.is_snapshot_autodelete_on;
    settings.autodelete_spared_prefix = wanted.autodelete_spared_prefix;
    what += what.empty() ? "snapshot_autodelete" : " and snapshot_autodelete";
  }
  const bool is_policy_changed = before.snapshot_policy != config.snapshot_policy;
  // `array` says nothing, so there is nothing to set either.
  const bool is_protection_changed = before.ransomware_protection != config.ransomware_protection &&
                                     config.ransomware_protection != RansomwareSetting::kArray;
  if (what.empty() && !is_policy_changed && !is_protection_changed) return {};
  // The form of a change depends on the release.
  if (const auto known = session.facts.Read(deadline); !known.ok()) return known.error();
  if (!what.empty()) TRY_STATUS(ChangeVolumes(session, settings, what, deadline));
  if (is_protection_changed) TRY_STATUS(ChangeRansomwareProtection(session, deadline));
  return is_policy_changed ? ChangeGroups(session, deadline) : Status();
}

}  // namespace ontapnvme::catalogue::flexvol
