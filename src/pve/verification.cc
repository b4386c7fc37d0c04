// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/verification.h"

#include <algorithm>
#include <set>

namespace ontapnvme::pve {
namespace {

Error Missing(const std::string& setting, const std::string& value, const std::string& why) {
  return Error(ErrorCode::kNotFound, "setting '" + setting + "' names '" + value + "'")
      .Because(why);
}

Status VerifySvm(Context& context, const Deadline& deadline) {
  const auto& config = context.config;
  const auto svm = context.svms.Read(config.svm, deadline);
  if (FailedWith(svm, ErrorCode::kNotFound)) {
    return Missing("vserver", config.svm,
                   "no such SVM is visible to account '" + config.username + "'")
        .Try("look at 'vserver show' on the array");
  }
  if (!svm.ok()) return svm.error();
  if (!svm->is_nvme_allowed) {
    return Error(ErrorCode::kUnsupported, "SVM '" + config.svm + "' does not allow NVMe")
        .Try("add NVMe to the protocols of the SVM ('vserver add-protocols')");
  }
  TRY(const bool is_enabled, context.svms.IsNvmeServiceEnabled(config.svm, deadline));
  if (!is_enabled) {
    return Error(ErrorCode::kUnsupported, "the NVMe service of SVM '" + config.svm + "' is off")
        .Try("turn it on ('vserver nvme create' or 'vserver nvme modify -status-admin up')");
  }
  const auto& delegated = svm->aggregate_names;
  const bool is_delegated =
      std::find(delegated.begin(), delegated.end(), config.aggregate) != delegated.end();
  if (config.is_svm_scoped && !is_delegated) {
    return Missing("aggregate", config.aggregate,
                   "SVM '" + config.svm + "' has no such aggregate delegated to it")
        .Try("delegate it ('vserver modify -aggr-list') or choose another");
  }
  return {};
}

Status VerifyAggregate(Context& context, const Deadline& deadline) {
  if (context.config.is_svm_scoped) return {};  // the list of delegated aggregates has told
  const auto aggregate = context.svms.ReadAggregate(context.config.aggregate, deadline);
  if (FailedWith(aggregate, ErrorCode::kNotFound)) {
    return Missing("aggregate", context.config.aggregate, "the cluster has no such aggregate")
        .Try("look at 'storage aggregate show' on the array");
  }
  if (FailedWith(aggregate, ErrorCode::kPermissionDenied)) {
    Error error = aggregate.error();
    error.SetHint(
        "use an account that may read aggregates, or set svm_scoped 1 for an SVM account");
    return error;
  }
  return aggregate.ok() ? Status() : Status(aggregate.error());
}

Status VerifyPolicies(Context& context, const Deadline& deadline) {
  const auto& config = context.config;
  const auto check_qos = [&](const char* setting, const std::string& policy,
                             bool is_adaptive) -> Status {
    if (policy.empty()) return {};
    TRY(const bool exists, context.svms.QosPolicyExists(config.svm, policy, is_adaptive, deadline));
    if (exists) return {};
    return Missing(setting, policy,
                   std::string("the SVM can use no ") + (is_adaptive ? "adaptive" : "fixed") +
                       " QoS policy of that name")
        .Try("look at 'qos policy-group show' and 'qos adaptive-policy-group show' on the array");
  };
  TRY_STATUS(check_qos("qos_policy", config.qos_policy, false));
  TRY_STATUS(check_qos("adaptive_qos_policy", config.adaptive_qos_policy, true));
  if (config.snapshot_policy.empty()) return {};
  TRY(const bool exists,
      context.svms.SnapshotPolicyExists(config.svm, config.snapshot_policy, deadline));
  if (exists) return {};
  return Missing("snapshot_policy", config.snapshot_policy,
                 "the SVM can use no snapshot policy of that name")
      .Try("look at 'volume snapshot policy show' on the array");
}

// Both LIFs on one controller are no redundancy: SAN LIFs do not fail over.
void WarnAboutLifs(Context& context, const Deadline& deadline) {
  if (!context.config.portals.empty()) return;
  const auto lifs = context.svms.ListNvmeTcpLifs(context.config.svm, deadline);
  if (!lifs.ok()) return;
  std::set<std::string> nodes;
  for (const auto& lif : *lifs) {
    if (lif.is_up) nodes.insert(lif.home_node);
  }
  if (nodes.size() < 2) {
    context.log.Warning("the NVMe/TCP data LIFs of SVM '" + context.config.svm +
                        "' that are up are all on one controller: its takeover stops all disks");
  }
}

}  // namespace

Status VerifyArray(Context& context, FactSource& facts, const Deadline& deadline) {
  TRY_STATUS(CheckSecrets(context.config, context.secrets));
  TRY(const auto cluster, context.svms.ReadCluster(deadline));
  TRY_STATUS(CheckCluster(cluster));
  context.rest.SetRelease(cluster.release);
  TRY_STATUS(VerifySvm(context, deadline));
  TRY_STATUS(VerifyAggregate(context, deadline));
  TRY_STATUS(VerifyPolicies(context, deadline));
  const auto identity = context.host.Identity();
  TRY_STATUS([&]() -> Status {
    const auto read = facts.Refresh(identity.ok() ? identity->host_nqn : "", deadline);
    return read.ok() ? Status() : Status(read.error());
  }());
  WarnAboutLifs(context, deadline);
  return {};
}

}  // namespace ontapnvme::pve
