// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/checkup/outlook.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/text.h"
#include "catalogue/flexvol/checkup/judge.h"
#include "ontap/release.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr std::chrono::minutes kClocksApart{5};
// NetApp documentation, "local snapshot copies": of a FlexVol.
constexpr std::uint64_t kSnapshotsMax = 1023;
constexpr std::uint64_t kSnapshotsNear = 900;
// What NetApp's own client for Kubernetes takes for the limit; the platform's own may be another.
constexpr std::size_t kNamespacesMax = 1024;
constexpr std::size_t kNamespacesNear = 900;

// What the plugin does on the array, as the commands that rules of multi-admin verification name, and
// what waits with it. The first that fits counts.
struct Operation {
  std::string_view command;
  std::string_view purpose;
};
constexpr std::array kOperations{
    Operation{"volume create", "new disks"},
    Operation{"volume clone", "clones"},
    Operation{"volume delete", "deleting disks"},
    Operation{"volume offline", "deleting disks"},
    Operation{"volume modify", "growing and marking disks"},
    Operation{"volume size", "growing disks"},
    Operation{"volume autosize", "growing disks"},
    Operation{"volume rename", "templates and disks that change their VM"},
    Operation{"volume online", "bringing disks back"},
    Operation{"volume recovery-queue", "bringing disks back, and deleting them with force_delete"},
    Operation{"volume move", "moving disks"},
    Operation{"volume snapshot create", "snapshots"},
    Operation{"volume snapshot delete", "deleting snapshots"},
    Operation{"volume snapshot restore", "rollbacks"},
    Operation{"volume snapshot rename", "adopting snapshots"},
    Operation{"volume snapshot modify", "adopting snapshots"},
    Operation{"consistency-group", "snapshots of VMs"},
    Operation{"security anti-ransomware volume", "deleting disks"},
    Operation{"vserver nvme namespace", "new disks, growing and deleting them, rollbacks"},
    Operation{"vserver nvme subsystem", "showing disks to nodes"},
};

const Operation* OperationOf(std::string_view command) {
  const auto found = std::find_if(kOperations.begin(), kOperations.end(), [&](const auto& one) {
    return command.starts_with(one.command) &&
           (command.size() == one.command.size() || command[one.command.size()] == ' ');
  });
  return found == kOperations.end() ? nullptr : &*found;
}

bool IsPaused(const std::string& protection) {
  return protection.find("paused") != std::string::npos;
}

class Outlook : private Judge {
 public:
  using Judge::Judge;

  void All() {
    ClockDifference();
    NamespaceLimit();
    LeftHosts();
    SnapshotCount();
    Ransomware();
    MultiAdmin();
  }

 private:
  void ClockDifference() {
    const char* check = "clock";
    if (!answers_.array.ok()) return AddSkipped(results_, check, Reason());
    if (!answers_.clock_ahead)
      return AddUntold(results_, check, "the array does not tell its time");
    const auto apart = std::chrono::abs(*answers_.clock_ahead);
    if (apart <= kClocksApart) return AddOk(results_, check, "the array's agrees with this node's");
    const auto minutes = std::chrono::floor<std::chrono::minutes>(apart).count();
    const bool is_ahead = answers_.clock_ahead->count() > 0;
    AddWarning(
        results_, check,
        "the array's is " + std::to_string(minutes) + " min " + (is_ahead ? "ahead of" : "behind") +
            " this node's: certificates may not be valid, ages of snapshots and left-overs are "
            "wrong, and logs do not match",
        "timedatectl timesync-status; chronyc tracking  # on the array: cluster date show; cluster "
        "time-service ntp server show");
  }

  void NamespaceLimit() {
    const char* check = "namespace-limit";
    if (!answers_.mapped_namespaces) return AddSkipped(results_, check, SubsystemTrouble());
    const auto& mapped = *answers_.mapped_namespaces;
    if (!mapped.ok()) {
      return Unanswered(check, mapped.error(), true, "all", "/api/protocols/nvme/subsystem-maps");
    }
    const std::string text =
        std::to_string(*mapped) + " in the subsystem, of about " + std::to_string(kNamespacesMax);
    if (*mapped < kNamespacesNear) return AddOk(results_, check, text);
    AddWarning(results_, check,
               text + ": when it is full no disk can be made, and no snapshot shown",
               "ontapnvme orphans " + config_.storage_id +
                   "  # then delete disks, or add a storage with another subsystem");
  }

  // What keeps the subsystem from being looked into.
  const char* SubsystemTrouble() const {
    if (!answers_.subsystem) return Reason();
    const char* trouble = SvmTrouble();
    return trouble == nullptr ? "subsystem" : trouble;
  }
  bool IsSubsystemThere() const {
    return answers_.subsystem && SvmTrouble() == nullptr && answers_.subsystem->ok() &&
           **answers_.subsystem;
  }

  void LeftHosts() {
    const char* check = "left-hosts";
    if (!IsSubsystemThere()) return AddSkipped(results_, check, SubsystemTrouble());
    if (!answers_.left_by_nqn) {
      return AddUntold(results_, check, "Proxmox VE's cluster does not tell who its nodes are");
    }
    std::string nodes;
    std::string first_nqn;
    for (const auto& nqn : (***answers_.subsystem).host_nqns) {
      const auto left = answers_.left_by_nqn->find(nqn);
      if (left == answers_.left_by_nqn->end()) continue;
      AppendTo(nodes, ", ", "'" + CleanText(left->second) + "' (" + CleanText(nqn) + ")");
      if (first_nqn.empty()) first_nqn = nqn;
    }
    if (nodes.empty()) return AddOk(results_, check, "no node that has left the cluster");
    AddWarning(results_, check,
               "the subsystem still lets in what was node " + nodes +
                   ", which is no member of the cluster any more",
               "vserver nvme subsystem host remove -vserver " + config_.svm + " -subsystem " +
                   config_.subsystem + " -host-nqn " + CleanText(first_nqn) +
                   "  # once that machine is off, or needs no disk");
  }

  // Whether the disks can be judged; otherwise the check is skipped.
  bool AreDisksKnown(const char* check) {
    if (!IsJudged(answers_.volumes, {check})) return false;
    if (answers_.disks && answers_.disks->ok()) return true;
    AddSkipped(results_, check, answers_.disks ? "snapshot-count" : "right-volumes");
    return false;
  }

  void SnapshotCount() {
    const char* check = "snapshot-count";
    if (answers_.disks && !answers_.disks->ok() && SvmTrouble() == nullptr) {
      return Unanswered(check, answers_.disks->error(), true, "all", "/api/storage/volumes");
    }
    if (!AreDisksKnown(check)) return;
    std::vector<std::string> near;
    std::string first;
    std::optional<std::uint64_t> most;
    for (const auto& disk : **answers_.disks) {
      const auto& count = disk.health.snapshot_count;
      if (!count) continue;
      most = std::max(most.value_or(0), *count);
      if (*count < kSnapshotsNear) continue;
      near.push_back("'" + disk.volume + "' has " + std::to_string(*count));
      if (first.empty()) first = disk.health.name;
    }
    const std::string of = " of " + std::to_string(kSnapshotsMax);
    if (!near.empty()) {
      return AddWarning(results_, check,
                        JoinFew(near) + of + " snapshots: when it is full none can be taken",
                        "volume snapshot show -vserver " + config_.svm + " -volume " + first);
    }
    if (!most && !(**answers_.disks).empty()) {
      return AddUntold(results_, check, "the array does not tell how many the disks have");
    }
    AddOk(results_, check, "no disk has more than " + std::to_string(most.value_or(0)) + of);
  }

  void Ransomware() {
    const char* check = "ransomware";
    if (!AreDisksKnown(check)) return;
    std::vector<std::string> suspected;
    std::vector<std::string> paused;
    std::vector<std::string> unprotected;
    std::string first_suspected, first_paused, first_unprotected;
    const auto note = [](std::vector<std::string>& list, std::string& first, const DiskHealth& disk,
                         const std::string& more) {
      list.push_back("'" + disk.volume + "'" + more);
      if (first.empty()) first = disk.health.name;
    };
    std::size_t protected_ones = 0;
    std::size_t learning = 0;
    bool is_told = (**answers_.disks).empty();
    for (const auto& disk : **answers_.disks) {
      const auto& health = disk.health;
      is_told = is_told || !health.protection.empty();
      if (!health.attack_probability.empty() && health.attack_probability != "none") {
        note(suspected, first_suspected, disk, " (" + CleanText(health.attack_probability) + ")");
      }
      if (IsPaused(health.protection)) note(paused, first_paused, disk, "");
      if (health.protection == "enabled") ++protected_ones;
      if (health.protection == "dry_run") ++learning;
      const bool is_off =
          health.protection == "disabled" || health.protection == "disable_in_progress";
      const bool is_wanted = config_.ransomware_protection == RansomwareSetting::kOn;
      if (is_off && is_wanted) note(unprotected, first_unprotected, disk, "");
    }
    const std::string on_array = " -vserver " + config_.svm + " -volume ";
    if (!suspected.empty()) {
      return AddFailure(
          results_, check,
          "the array suspects that ransomware encrypts " + JoinFew(suspected) +
              "; a guest that encrypts its own disk looks the same",
          "security anti-ransomware volume show -instance" + on_array + first_suspected);
    }
    if (!paused.empty()) {
      return AddWarning(results_, check, "the protection is paused for " + JoinFew(paused),
                        "security anti-ransomware volume resume" + on_array + first_paused);
    }
    if (!unprotected.empty()) {
      return AddWarning(results_, check,
                        "ransomware_protection is on, but not for " + JoinFew(unprotected),
                        "security anti-ransomware volume enable" + on_array + first_unprotected);
    }
    if (answers_.is_without_protection) {
      return AddOk(results_, check,
                   "disks have no protection before ONTAP " + ontap::kSanRansomware.Text());
    }
    if (!is_told) return AddUntold(results_, check, "the array does not tell");
    AddOk(results_, check,
          "nothing is suspected; " + std::to_string(protected_ones) + " protected, " +
              std::to_string(learning) + " learning, of " +
              std::to_string((**answers_.disks).size()));
  }

  void MultiAdmin() {
    const char* check = "multi-admin";
    if (!answers_.svm) return AddSkipped(results_, check, Reason());
    if (!answers_.multi_admin) {
      return AddUntold(results_, check, "an account of the SVM is not told");
    }
    const auto& multi_admin = *answers_.multi_admin;
    if (!multi_admin.ok()) {
      return Unanswered(check, multi_admin.error(), false, "readonly",
                        "/api/security/multi-admin-verify");
    }
    if (!multi_admin->is_on) return AddOk(results_, check, "it is off");
    std::vector<std::string> held;
    for (const auto& command : multi_admin->operations) {
      const auto* operation = OperationOf(command);
      if (operation == nullptr) continue;
      held.push_back("'" + CleanText(command) + "' (" + std::string(operation->purpose) + ")");
    }
    if (held.empty()) return AddOk(results_, check, "it is on, and holds back nothing of this");
    AddWarning(results_, check, "it is on, and until others approve it holds back " + JoinFew(held),
               "security multi-admin-verify rule show");
  }
};

}  // namespace

void JudgeOutlook(const StorageConfig& config, const ArrayAnswers& answers, CheckResults& results) {
  Outlook(config, answers, results).All();
}

}  // namespace ontapnvme::catalogue::flexvol
