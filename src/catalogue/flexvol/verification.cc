// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/verification.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/text.h"
#include "catalogue/flexvol/checkup/array_checkup.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// No VM of Proxmox's has such a number: what is asked about it only shows whether one may ask.
constexpr std::uint64_t kProbedVm = 999'999'999;

Error Missing(const std::string& setting, const std::string& value, const std::string& why) {
  return Error(ErrorCode::kNotFound, "setting '" + setting + "' names '" + value + "'")
      .Because(why);
}

// Rights without which no disk can be used, as one error in the end: whoever gives them should need
// one round. A right that costs a feature only is a warning.
class Rights {
 public:
  Rights(const Session& session, const Deadline& deadline)
      : session_(&session), clock_(&deadline.clock()) {}

  // Success when `asked` is, or fails for want of that right, which is noted.
  Status Need(const char* access, const char* path, const char* purpose, const Status& asked) {
    if (!FailedWith(asked, ErrorCode::kPermissionDenied)) return asked;
    const std::string right = std::string("'") + access + "' to " + path + " (" + purpose + ")";
    if (missing_.find(right) == std::string::npos) AppendTo(missing_, ", ", right);
    if (!first_) first_ = asked.error();
    return {};
  }
  // The same for one without which only `loss` follows; see MissingRights.
  Status Want(const char* matter, const std::string& loss, const Status& asked) {
    if (!FailedWith(asked, ErrorCode::kPermissionDenied)) return asked;
    session_->facts.rights().TellNow(matter, loss, asked.error(), *clock_);
    return {};
  }
  Status Missing() const {
    if (!first_) return {};
    Error error = first_->Wrap("account '" + session_->config.username +
                               "' lacks rights without which no disk can be used");
    error.SetHint("give its role access " + missing_ +
                  "; SECURITY.md has the whole role, and says what the rest is for");
    return error;
  }

 private:
  const Session* session_;
  Clock* clock_;
  std::string missing_;
  std::optional<Error> first_;
};

template <typename T>
Status StatusOf(const Result<T>& result) {
  return result.ok() ? Status() : Status(result.error());
}

Status VerifyNvmeService(const std::string& svm_name, ontap::Svms& svms, const Deadline& deadline) {
  TRY(const bool is_enabled, svms.IsNvmeServiceEnabled(svm_name, deadline));
  if (is_enabled) return {};
  return Error(ErrorCode::kUnsupported, "the NVMe service of SVM '" + svm_name + "' is off")
      .Try("turn it on ('vserver nvme create' or 'vserver nvme modify -status-admin up')");
}

// An SVM account, or one that cannot read aggregates, knows an aggregate by the SVM's list of what is
// delegated to it. Not every account sees that list: an empty one says nothing.
Status VerifyDelegated(const StorageConfig& config, const std::vector<std::string>& delegated) {
  const bool is_delegated =
      std::find(delegated.begin(), delegated.end(), config.aggregate) != delegated.end();
  if (is_delegated || delegated.empty()) return {};
  return Missing("aggregate", config.aggregate,
                 "SVM '" + config.svm + "' has no such aggregate delegated to it")
      .Try("delegate it ('vserver modify -aggr-list') or choose another");
}

Status VerifyAggregate(const StorageConfig& config, ontap::Svms& svms,
                       const std::vector<std::string>& delegated, Rights& rights,
                       const Deadline& deadline) {
  if (config.is_svm_scoped) return VerifyDelegated(config, delegated);
  const auto aggregate = svms.ReadAggregate(config.aggregate, deadline);
  if (FailedWith(aggregate, ErrorCode::kNotFound)) {
    return Missing("aggregate", config.aggregate,
                   "the cluster has no such aggregate, or the account may not see it")
        .Try(
            "look at 'storage aggregate show' on the array; for an account of an SVM set "
            "svm_scoped 1");
  }
  if (FailedWith(aggregate, ErrorCode::kPermissionDenied)) {
    TRY_STATUS(VerifyDelegated(config, delegated));
  }
  return rights.Want("aggregates", kCapacityOfSvm, StatusOf(aggregate));
}

Status VerifySvm(const StorageConfig& config, ontap::Svms& svms, Rights& rights,
                 const Deadline& deadline) {
  const auto svm = svms.Read(config.svm, deadline);
  if (FailedWith(svm, ErrorCode::kNotFound)) {
    return Missing("vserver", config.svm,
                   "no such SVM is visible to account '" + config.username + "'")
        .Try("look at 'vserver show' on the array");
  }
  TRY_STATUS(rights.Need("readonly", "/api/svm/svms", "which SVM it is", StatusOf(svm)));
  if (svm.ok()) {
    TRY_STATUS(CheckRunning(*svm));
    if (!svm->is_nvme_allowed) {
      return Error(ErrorCode::kUnsupported, "SVM '" + config.svm + "' does not allow NVMe")
          .Try("add NVMe to the protocols of the SVM ('vserver add-protocols')");
    }
  }
  TRY_STATUS(
      rights.Want("nvme-services",
                  "it is not checked whether the NVMe service of SVM '" + config.svm + "' is on",
                  VerifyNvmeService(config.svm, svms, deadline)));
  return VerifyAggregate(config, svms, svm.ok() ? svm->aggregate_names : std::vector<std::string>(),
                         rights, deadline);
}

Status VerifyQosPolicy(const StorageConfig& config, ontap::Svms& svms, bool is_adaptive,
                       const Deadline& deadline) {
  const std::string& policy = is_adaptive ? config.adaptive_qos_policy : config.qos_policy;
  if (policy.empty()) return {};
  TRY(const bool exists, svms.QosPolicyExists(config.svm, policy, is_adaptive, deadline));
  if (exists) return {};
  return Missing(is_adaptive ? "adaptive_qos_policy" : "qos_policy", policy,
                 std::string("the SVM can use no ") + (is_adaptive ? "adaptive" : "fixed") +
                     " QoS policy of that name")
      .Try("look at 'qos policy-group show' and 'qos adaptive-policy-group show' on the array");
}

Status VerifySnapshotPolicy(const StorageConfig& config, ontap::Svms& svms,
                            const Deadline& deadline) {
  if (config.snapshot_policy.empty()) return {};
  TRY(const bool exists, svms.SnapshotPolicyExists(config.svm, config.snapshot_policy, deadline));
  if (exists) return {};
  return Missing("snapshot_policy", config.snapshot_policy,
                 "the SVM can use no snapshot policy of that name")
      .Try("look at 'volume snapshot policy show' on the array");
}

Status VerifyPolicies(const StorageConfig& config, ontap::Svms& svms, Rights& rights,
                      const Deadline& deadline) {
  for (const bool is_adaptive : {false, true}) {
    TRY_STATUS(rights.Want("qos-policies", "it is not checked whether the QoS policy is there",
                           VerifyQosPolicy(config, svms, is_adaptive, deadline)));
  }
  return rights.Want("snapshot-policies", "it is not checked whether the snapshot policy is there",
                     VerifySnapshotPolicy(config, svms, deadline));
}

// Both LIFs on one controller are no redundancy: SAN LIFs do not fail over.
void WarnAboutLifs(const StorageConfig& config, const std::vector<ontap::DataLif>& lifs, Log& log) {
  std::set<std::string> nodes;
  for (const auto& lif : lifs) {
    // Not every account is told where a LIF is.
    if (lif.home_node.empty()) return;
    if (lif.is_up) nodes.insert(lif.home_node);
  }
  if (nodes.size() < 2) {
    log.Warning("the NVMe/TCP data LIFs of SVM '" + config.svm +
                "' that are up are all on one controller: its takeover stops all disks");
  }
}

// What disks need besides, asked as operations ask for it. Only reading can be tried without a
// change, so the whole right is named.
Status VerifyRightsToDisks(const Session& session, ontap::Svms& svms, Rights& rights,
                           const Deadline& deadline) {
  const auto& config = session.config;
  TRY(const auto any, VolumeName::Parse("vm-" + std::to_string(kProbedVm) + "-disk-0"));
  TRY_STATUS(rights.Need("all", "/api/storage/volumes", "disks and snapshots",
                         StatusOf(session.gate.FindVolume(any, deadline))));
  TRY_STATUS(rights.Need("all", "/api/storage/namespaces", "disks",
                         StatusOf(session.gate.FindNamespace(any, deadline))));
  TRY_STATUS(rights.Need("all", "/api/application/consistency-groups",
                         "snapshots of a VM's disks at one point in time",
                         StatusOf(session.groups.Find(kProbedVm, deadline))));
  if (!config.portals.empty()) return {};
  const auto lifs = svms.ListNvmeTcpLifs(config.svm, deadline);
  if (lifs.ok()) WarnAboutLifs(config, *lifs, session.log);
  return rights.Need("readonly", "/api/network/ip/interfaces",
                     "data LIFs, unless ontap_portal names them", StatusOf(lifs));
}

Result<std::vector<DiskHealth>> ReadDiskHealth(Gate& gate, const Deadline& deadline) {
  TRY(auto volumes, gate.ListHealth(deadline));
  std::vector<DiskHealth> disks;
  for (auto& volume : volumes) {
    disks.push_back({.volume = volume.name.Text(), .health = std::move(volume.health)});
  }
  return disks;
}

// As many questions for any number of disks.
void AskForOutlook(const Session& session, ontap::Svms& svms, ArrayAnswers& answers,
                   const Deadline& deadline) {
  if (answers.subsystem->ok() && **answers.subsystem) {
    answers.mapped_namespaces = session.facts.CountMaps(***answers.subsystem, deadline);
    answers.left_by_nqn = session.members.NqnsOfLeft();
  }
  if (answers.volumes && answers.volumes->ok()) {
    answers.disks = ReadDiskHealth(session.gate, deadline);
  }
  if (!session.config.is_svm_scoped) {
    answers.multi_admin = svms.ReadMultiAdminVerification(deadline);
  }
}

}  // namespace

Status VerifyArray(const Session& session, const Secrets& secrets, ontap::Svms& svms,
                   const std::string& host_nqn, const Deadline& deadline) {
  const auto& config = session.config;
  Rights rights(session, deadline);
  TRY_STATUS(CheckSecrets(config, secrets));
  TRY_STATUS(rights.Want("release", kReleaseUnknown, session.facts.LearnRelease(deadline)));
  TRY_STATUS(VerifySvm(config, svms, rights, deadline));
  TRY_STATUS(VerifyPolicies(config, svms, rights, deadline));
  TRY_STATUS(VerifyRightsToDisks(session, svms, rights, deadline));
  TRY_STATUS(rights.Need("all", "/api/protocols/nvme/subsystems", "the subsystem and its hosts",
                         StatusOf(session.facts.FindSubsystem(deadline))));
  TRY_STATUS(rights.Missing());
  return StatusOf(session.facts.Refresh(host_nqn, deadline));
}

CheckResults ExamineArray(const Session& session, ontap::Svms& svms, const std::string& host_nqn,
                          const Deadline& deadline) {
  const auto& config = session.config;
  ArrayAnswers answers;
  const auto cluster = svms.ReadCluster(deadline);
  answers.clock_ahead = svms.ClockAhead();
  if (!cluster.ok() && cluster.error().code() != ErrorCode::kPermissionDenied) {
    answers.array = cluster.error();
    return JudgeArray(config, host_nqn, answers);
  }
  answers.platform = cluster.ok() ? CheckCluster(*cluster) : Status(cluster.error());
  if (FailedWith(answers.platform, ErrorCode::kUnsupported)) {
    return JudgeArray(config, host_nqn, answers);
  }
  if (cluster.ok()) {
    answers.release = cluster->release.Text();
    answers.is_without_protection = cluster->release < ontap::kSanRansomware;
  }
  const auto svm = session.facts.ReadSvm(deadline);
  if (!svm.ok()) answers.svm = svm.error();
  if (svm.ok() && svm->is_replaced) answers.svm = ReplacedSvm(config, svm->svm);
  if (svm.ok() && !svm->is_replaced) answers.svm = svm->svm;
  answers.nvme_service = svms.IsNvmeServiceEnabled(config.svm, deadline);
  if (!config.is_svm_scoped) answers.aggregate = svms.ReadAggregate(config.aggregate, deadline);
  if (config.portals.empty()) answers.lifs = svms.ListNvmeTcpLifs(config.svm, deadline);
  answers.subsystem = session.facts.FindSubsystem(deadline);
  if (!config.qos_policy.empty()) {
    answers.qos_policy = svms.QosPolicyExists(config.svm, config.qos_policy, false, deadline);
  }
  if (!config.adaptive_qos_policy.empty()) {
    answers.adaptive_qos_policy =
        svms.QosPolicyExists(config.svm, config.adaptive_qos_policy, true, deadline);
  }
  if (!config.snapshot_policy.empty()) {
    answers.snapshot_policy =
        svms.SnapshotPolicyExists(config.svm, config.snapshot_policy, deadline);
  }
  const auto any = VolumeName::Parse("vm-" + std::to_string(kProbedVm) + "-disk-0");
  if (any.ok()) {
    answers.volumes = StatusOf(session.gate.FindVolume(*any, deadline));
    answers.namespaces = StatusOf(session.gate.FindNamespace(*any, deadline));
  }
  answers.groups = StatusOf(session.groups.Find(kProbedVm, deadline));
  AskForOutlook(session, svms, answers, deadline);
  return JudgeArray(config, host_nqn, answers);
}

}  // namespace ontapnvme::catalogue::flexvol
