// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/checkup/array_checkup.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "catalogue/flexvol/checkup/judge.h"
#include "catalogue/flexvol/checkup/outlook.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

class Surroundings : private Judge {
 public:
  Surroundings(const StorageConfig& config, const std::string& host_nqn,
               const ArrayAnswers& answers, CheckResults& results)
      : Judge(config, answers, results), host_nqn_(host_nqn) {}

  void All() {
    Array();
    Svm();
    NvmeService();
    Aggregate();
    Lifs();
    Subsystem();
    Policy("qos-policy", config_.qos_policy, answers_.qos_policy, "/api/storage/qos/policies",
           "qos policy-group show -vserver " + config_.svm);
    Policy("adaptive-qos-policy", config_.adaptive_qos_policy, answers_.adaptive_qos_policy,
           "/api/storage/qos/policies", "qos adaptive-policy-group show -vserver " + config_.svm);
    Policy("snapshot-policy", config_.snapshot_policy, answers_.snapshot_policy,
           "/api/storage/snapshot-policies", "volume snapshot policy show -vserver " + config_.svm);
    Right("right-volumes", answers_.volumes, "/api/storage/volumes");
    Right("right-namespaces", answers_.namespaces, "/api/storage/namespaces");
    Right("right-groups", answers_.groups, "/api/application/consistency-groups");
  }

 private:
  void Array() {
    const auto& array = answers_.array;
    const auto& platform = answers_.platform;
    const bool is_refused = FailedWith(array, ErrorCode::kUnauthenticated);
    if (array.ok() || is_refused) {
      AddOk(results_, "array", "'" + config_.mgmt_host + "' answers");
    } else {
      AddFailure(results_, "array", array.error().Plain(),
                 "curl -v https://" + config_.mgmt_host + "/api/cluster");
    }
    if (array.ok()) {
      AddOk(results_, "account", "'" + config_.username + "' is accepted");
    } else if (is_refused) {
      AddFailure(results_, "account", array.error().Plain(),
                 "pvesm set " + config_.storage_id + " --password");
    } else {
      AddSkipped(results_, "account", "array");
    }
    if (!array.ok()) {
      AddSkipped(results_, "release", Reason());
    } else if (FailedWith(platform, ErrorCode::kUnsupported)) {
      AddFailure(results_, "release", platform.error().Plain(), "system node image show");
    } else if (!platform.ok()) {
      Unanswered("release", platform.error(), false, "readonly", "/api/cluster");
    } else {
      AddOk(results_, "release", "ONTAP " + answers_.release);
    }
  }

  void Svm() {
    if (!answers_.svm) {
      for (const char* check : {"svm", "svm-state", "svm-protocol"}) {
        AddSkipped(results_, check, Reason());
      }
      return;
    }
    const auto& svm = *answers_.svm;
    if (!svm.ok()) {
      const auto code = svm.error().code();
      if (code == ErrorCode::kNotFound || code == ErrorCode::kConflict) {
        AddFailure(results_, "svm", svm.error().Plain(), "vserver show -fields state,uuid");
      } else {
        Unanswered("svm", svm.error(), true, "readonly", "/api/svm/svms");
      }
      AddSkipped(results_, "svm-state", "svm");
      AddSkipped(results_, "svm-protocol", "svm");
      return;
    }
    AddOk(results_, "svm", "'" + config_.svm + "' is there");
    if (svm->IsRunning()) {
      AddOk(results_, "svm-state", "it runs");
    } else {
      AddFailure(results_, "svm-state",
                 "SVM '" + config_.svm + "' is '" + CleanText(svm->state) + "'",
                 "vserver start -vserver " + config_.svm);
    }
    if (svm->is_nvme_allowed) {
      AddOk(results_, "svm-protocol", "NVMe is allowed");
    } else {
      AddFailure(results_, "svm-protocol", "SVM '" + config_.svm + "' does not allow NVMe",
                 "vserver add-protocols -vserver " + config_.svm + " -protocols nvme");
    }
  }

  bool IsNvmeOff() const {
    return answers_.svm && answers_.svm->ok() && !(*answers_.svm)->is_nvme_allowed;
  }

  void NvmeService() {
    if (!IsJudged(answers_.nvme_service, {"nvme-service"})) return;
    const auto& service = *answers_.nvme_service;
    if (!service.ok()) {
      Unanswered("nvme-service", service.error(), false, "readonly",
                 "/api/protocols/nvme/services");
    } else if (*service) {
      AddOk(results_, "nvme-service", "it is on");
    } else if (IsNvmeOff()) {
      AddSkipped(results_, "nvme-service", "svm-protocol");
    } else {
      AddFailure(results_, "nvme-service", "the NVMe service of SVM '" + config_.svm + "' is off",
                 "vserver nvme modify -vserver " + config_.svm + " -status-admin up");
    }
  }

  void Aggregate() {
    if (config_.is_svm_scoped && !answers_.aggregate && answers_.svm) {
      AddOk(results_, "aggregate", "an account of the SVM is not told");
      return;
    }
    if (!IsJudged(answers_.aggregate, {"aggregate"})) return;
    const auto& aggregate = *answers_.aggregate;
    if (aggregate.ok()) {
      AddOk(results_, "aggregate", "'" + config_.aggregate + "' is there");
    } else if (FailedWith(aggregate, ErrorCode::kNotFound)) {
      AddFailure(results_, "aggregate", "there is no aggregate '" + config_.aggregate + "'",
                 "storage aggregate show -fields node,availsize");
    } else {
      Unanswered("aggregate", aggregate.error(), false, "readonly", "/api/storage/aggregates");
    }
  }

  void Lifs() {
    if (!config_.portals.empty() && !answers_.lifs && answers_.svm) {
      AddOk(results_, "lifs", "ontap_portal names them");
      AddOk(results_, "lif-spread", "ontap_portal names them");
      return;
    }
    if (!IsJudged(answers_.lifs, {"lifs", "lif-spread"})) return;
    const auto& lifs = *answers_.lifs;
    const std::string show = "network interface show -vserver " + config_.svm +
                             " -fields status-oper,status-admin,home-node,service-policy";
    if (!lifs.ok()) {
      Unanswered("lifs", lifs.error(), true, "readonly", "/api/network/ip/interfaces");
      AddSkipped(results_, "lif-spread", "lifs");
      return;
    }
    std::string down;
    std::set<std::string> nodes;
    std::size_t up = 0;
    bool is_place_known = true;
    for (const auto& lif : *lifs) {
      if (!lif.is_up) {
        AppendTo(down, ", ", "'" + CleanText(lif.name) + "' (" + CleanText(lif.address) + ")");
        continue;
      }
      ++up;
      is_place_known = is_place_known && !lif.home_node.empty();
      nodes.insert(lif.home_node);
    }
    if (up == 0) {
      AddFailure(results_, "lifs", "SVM '" + config_.svm + "' has no NVMe/TCP data LIF that is up",
                 show);
      AddSkipped(results_, "lif-spread", "lifs");
      return;
    }
    if (down.empty()) {
      AddOk(results_, "lifs", std::to_string(up) + " up");
    } else {
      AddWarning(results_, "lifs", "data LIF " + down + " is down", show);
    }
    if (nodes.size() > 1 || !is_place_known) {
      AddOk(results_, "lif-spread",
            is_place_known ? "on " + std::to_string(nodes.size()) + " controllers"
                           : "the account is not told where they are");
    } else if (!down.empty()) {
      AddSkipped(results_, "lif-spread", "lifs");
    } else {
      AddWarning(results_, "lif-spread",
                 "all data LIFs that are up are on one controller: its takeover stops all disks",
                 show);
    }
  }

  void Subsystem() {
    if (!IsJudged(answers_.subsystem, {"subsystem", "registration"})) return;
    const auto& subsystem = *answers_.subsystem;
    const std::string activate = "pvesm status --storage " + config_.storage_id;
    if (!subsystem.ok()) {
      Unanswered("subsystem", subsystem.error(), true, "all", "/api/protocols/nvme/subsystems");
      AddSkipped(results_, "registration", "subsystem");
      return;
    }
    if (!*subsystem) {
      AddFailure(results_, "subsystem",
                 "SVM '" + config_.svm + "' has no subsystem '" + config_.subsystem + "'",
                 activate);
      AddSkipped(results_, "registration", "subsystem");
      return;
    }
    AddOk(results_, "subsystem", "'" + config_.subsystem + "' is there");
    const auto& known = (*subsystem)->host_nqns;
    if (host_nqn_.empty()) {
      AddSkipped(results_, "registration", "host-nqn");
    } else if (std::find(known.begin(), known.end(), host_nqn_) != known.end()) {
      AddOk(results_, "registration", "the subsystem knows this node");
    } else {
      AddFailure(results_, "registration",
                 "subsystem '" + config_.subsystem + "' does not know host NQN '" + host_nqn_ + "'",
                 activate);
    }
  }

  void Policy(const char* check, const std::string& policy,
              const std::optional<Result<bool>>& answer, const char* path,
              const std::string& remedy) {
    if (policy.empty() && answers_.svm) {
      AddOk(results_, check, "none is set");
      return;
    }
    if (!IsJudged(answer, {check})) return;
    if (!answer->ok()) {
      Unanswered(check, answer->error(), false, "readonly", path);
    } else if (**answer) {
      AddOk(results_, check, "'" + policy + "' is there");
    } else {
      AddFailure(results_, check, "the SVM can use no policy '" + policy + "'", remedy);
    }
  }

  void Right(const char* check, const std::optional<Status>& answer, const char* path) {
    if (!IsJudged(answer, {check})) return;
    if (answer->ok()) {
      AddOk(results_, check, "the account may look");
    } else {
      Unanswered(check, answer->error(), true, "all", path);
    }
  }

  const std::string& host_nqn_;
};

}  // namespace

CheckResults JudgeArray(const StorageConfig& config, const std::string& host_nqn,
                        const ArrayAnswers& answers) {
  CheckResults results;
  Surroundings(config, host_nqn, answers, results).All();
  JudgeOutlook(config, answers, results);
  return results;
}

}  // namespace ontapnvme::catalogue::flexvol
