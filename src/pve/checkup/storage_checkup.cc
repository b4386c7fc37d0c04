// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/checkup/storage_checkup.h"

#include <algorithm>
#include <initializer_list>

#include "base/ip_address.h"
#include "base/text.h"
#include "pve/checkup/twins.h"

namespace ontapnvme::pve {
namespace {

// As recovery does: what is younger may be at work.
constexpr std::chrono::hours kLeftAlone{1};
// Thin disks grow without asking: there must be time to act before there is no space left.
constexpr std::uint64_t kFullPercent = 90;

// The first of those checks that complains, or was itself skipped for one that does; empty: none.
std::string TroubleWith(const CheckResults& results, std::initializer_list<const char*> checks) {
  for (const auto& result : results) {
    const bool is_asked = std::any_of(checks.begin(), checks.end(),
                                      [&](const char* check) { return result.check == check; });
    if (is_asked && result.outcome != CheckOutcome::kOk) return result.check;
  }
  return "";
}

}  // namespace

CheckResults StorageCheckup::Examine(const Deadline& deadline) {
  const auto identity = host_.Identity();
  CheckResults results = array_.Examine(identity.ok() ? identity->host_nqn : "", deadline);
  LookAtSpace(results, deadline);
  LookAtDisks(results, deadline);
  LookAtLeftOvers(results, deadline);
  LookForMissingPaths(results);
  LookForTwins(results, identity, deadline);
  return results;
}

void StorageCheckup::LookAtSpace(CheckResults& results, const Deadline& deadline) {
  // What the space is counted in is among them.
  const auto failed = std::find_if(results.begin(), results.end(), [](const auto& result) {
    return result.outcome == CheckOutcome::kFail;
  });
  if (failed != results.end()) {
    AddSkipped(results, "space", failed->check);
    return;
  }
  const auto capacity = array_.Capacity(deadline);
  if (!capacity.ok()) {
    AddWarning(results, "space", "it is not known: " + capacity.error().Plain(), Again());
    return;
  }
  const std::uint64_t hundredth = std::max<std::uint64_t>(capacity->total.bytes() / 100, 1);
  const std::uint64_t percent = capacity->used.bytes() / hundredth;
  const std::string text = std::to_string(percent) + " % used";
  if (percent < kFullPercent) {
    AddOk(results, "space", text);
  } else {
    AddWarning(results, "space", text,
               "ontapnvme status " + config_.storage_id +
                   "  # delete disks, or give the array more space");
  }
}

void StorageCheckup::LookAtDisks(CheckResults& results, const Deadline& deadline) {
  const std::string trouble = TroubleWith(
      results, {"array", "account", "svm", "svm-state", "right-volumes", "right-namespaces"});
  if (!trouble.empty()) {
    AddSkipped(results, "disks", trouble);
    AddSkipped(results, "disk-ceilings", trouble);
    return;
  }
  const auto disks = array_.disks().List(std::nullopt, deadline);
  if (!disks.ok()) {
    AddWarning(results, "disks", "it is not known: " + disks.error().Plain(), Again());
    AddSkipped(results, "disk-ceilings", "disks");
    return;
  }
  std::vector<std::string> near_ceiling;
  std::vector<std::string> not_served;
  for (const auto& disk : *disks) {
    if (disk.is_near_ceiling) near_ceiling.push_back(disk.volume.container_name);
    if (disk.ns && disk.ns->fault) not_served.push_back(disk.volume.container_name);
  }
  if (not_served.empty()) {
    AddOk(results, "disks", std::to_string(disks->size()) + " served");
  } else {
    AddFailure(results, "disks", "the array does not serve " + JoinFew(not_served),
               "vserver nvme namespace show -vserver " + config_.svm + " -fields state");
  }
  if (near_ceiling.empty()) {
    AddOk(results, "disk-ceilings", "all can grow");
  } else {
    AddWarning(results, "disk-ceilings",
               JoinFew(near_ceiling) + ": nine tenths of what autosize allows are used",
               "volume autosize -vserver " + config_.svm + " -volume " + near_ceiling.front() +
                   " -maximum-size SIZE");
  }
}

void StorageCheckup::LookAtLeftOvers(CheckResults& results, const Deadline& deadline) {
  const std::string trouble =
      TroubleWith(results, {"array", "account", "svm", "svm-state", "right-volumes",
                            "right-namespaces", "right-groups", "disks"});
  if (!trouble.empty()) {
    AddSkipped(results, "left-overs", trouble);
    return;
  }
  const auto survey = array_.Look(deadline.clock().WallTime() - kLeftAlone, deadline);
  if (!survey.ok()) {
    AddWarning(results, "left-overs", "it is not known: " + survey.error().Plain(), Again());
  } else if (survey->left_overs.empty()) {
    AddOk(results, "left-overs", "nothing is unfinished");
  } else {
    AddWarning(results, "left-overs",
               std::to_string(survey->left_overs.size()) + " unfinished on the array",
               "ontapnvme pending " + config_.storage_id);
  }
}

void StorageCheckup::LookForMissingPaths(CheckResults& results) {
  const auto target = array_.RememberedTarget();
  const auto controllers =
      target ? host_.Controllers(target->subsystem_nqn) : Result<std::vector<nvme::Controller>>({});
  if (!controllers.ok()) {
    AddWarning(results, "missing-paths", "it is not known: " + controllers.error().Plain(),
               "nvme list-subsys");
    return;
  }
  if (controllers->empty()) {
    AddSkipped(results, "missing-paths", "paths");
    return;
  }
  std::vector<std::string> missing;
  for (const auto& address : target->addresses) {
    const bool is_there = std::any_of(
        controllers->begin(), controllers->end(),
        [&](const auto& controller) { return IsSameAddress(controller.traddr, address); });
    if (!is_there) missing.push_back(address);
  }
  if (missing.empty()) {
    AddOk(results, "missing-paths", "there is one to each data LIF");
  } else {
    AddWarning(results, "missing-paths", "there is no path to " + JoinFew(missing),
               "ping -c 3 " + missing.front() + "; nc -zv " + missing.front() + " 4420");
  }
}

void StorageCheckup::LookForTwins(CheckResults& results, const Result<nvme::HostIdentity>& identity,
                                  const Deadline& deadline) {
  // Asking for connections makes a subsystem where there is none.
  const std::string trouble =
      identity.ok() ? TroubleWith(results, {"array", "account", "svm", "svm-state", "subsystem"})
                    : "host-nqn";
  if (!trouble.empty()) {
    AddSkipped(results, "twins", trouble);
    return;
  }
  const auto connections = array_.Connections(deadline);
  if (!connections.ok()) {
    AddWarning(results, "twins", "it is not known: " + connections.error().Plain(), Again());
    return;
  }
  const std::string twin = TwinAmong(*identity, host_.LocalAddresses(), *connections);
  if (twin.empty()) {
    AddOk(results, "twins", "no other node has this one's identity");
  } else {
    AddFailure(results, "twins", "two nodes share an NVMe identity: " + twin, kTwinRemedy);
  }
}

}  // namespace ontapnvme::pve
