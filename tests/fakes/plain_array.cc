// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fakes/plain_array.h"

namespace ontapnvme::fakes {
namespace {

using catalogue::FabricTarget;
using catalogue::HostConnection;
using catalogue::LeftOver;
using catalogue::Mapping;
using catalogue::Survey;

// What is wrong with a disk of ours that no operation is working on; nothing when it is in order.
std::optional<LeftOver> LeftOverOf(const PlainDisk& disk) {
  const std::string name = disk.ContainerName();
  const std::string key = disk.uuid.Text();
  if (disk.is_deferred) return LeftOver{"removed volume " + name, "deleted volume " + name, key};
  if (!disk.is_whole) return LeftOver{"empty volume " + name, "removed empty volume " + name, key};
  if (disk.mapping == Mapping::kNone) {
    return LeftOver{"unmapped volume " + name, "mapped volume " + name, key};
  }
  return std::nullopt;
}

}  // namespace

Status PlainArray::Verify(const std::string& host_nqn, const Deadline& deadline) {
  return world.Run<Status>("Verify", "", deadline, [&]() -> Status {
    if (!host_nqn.empty()) world.registered_hosts.insert(host_nqn);
    return {};
  });
}

CheckResults PlainArray::Examine(const std::string&, const Deadline& deadline) {
  const auto asked = world.Run<Status>("Examine", "", deadline, [] { return Status(); });
  CheckResults results;
  if (asked.ok()) AddOk(results, "array", "it answers");
  if (!asked.ok()) AddFailure(results, "array", asked.error().Plain(), "look at it");
  return results;
}

Result<CapacityInfo> PlainArray::Capacity(const Deadline& deadline) {
  using Answer = Result<CapacityInfo>;
  return world.Run<Answer>("Capacity", "", deadline, [&]() -> Answer { return world.capacity; });
}

Result<std::string> PlainArray::Identity(const Deadline& deadline) {
  using Answer = Result<std::string>;
  return world.Run<Answer>("Identity", "", deadline,
                           [&]() -> Answer { return world.target.subsystem_nqn; });
}

Status PlainArray::RequireSameDisks(const Deadline& deadline) {
  return world.Run<Status>("RequireSameDisks", "", deadline, [] { return Status(); });
}

Status PlainArray::ApplyChanges(const StorageConfig&, const Deadline& deadline) {
  return world.Run<Status>("ApplyChanges", "", deadline, [] { return Status(); });
}

Result<FabricTarget> PlainArray::Registered(const std::string& host_nqn) {
  FabricTarget target = world.target;
  if (!host_nqn.empty()) {
    world.registered_hosts.insert(host_nqn);
    target.host_nqn = host_nqn;
  }
  remembered_ = target;
  return target;
}

Result<FabricTarget> PlainArray::Target(const std::string& host_nqn, const Deadline& deadline) {
  if (world.silence && remembered_) return *remembered_;
  return world.Run<Result<FabricTarget>>("Target", "", deadline,
                                         [&] { return Registered(host_nqn); });
}

Result<FabricTarget> PlainArray::RefreshTarget(const std::string& host_nqn,
                                               const Deadline& deadline) {
  return world.Run<Result<FabricTarget>>("RefreshTarget", "", deadline,
                                         [&] { return Registered(host_nqn); });
}

Status PlainArray::RegisterAnew(const FabricTarget& target, const Deadline& deadline) {
  return world.Run<Status>("RegisterAnew", target.host_nqn, deadline, [&]() -> Status {
    ++world.registered_anew;
    world.registered_hosts.insert(target.host_nqn);
    return {};
  });
}

Result<std::vector<HostConnection>> PlainArray::Connections(const Deadline& deadline) {
  using Answer = Result<std::vector<HostConnection>>;
  return world.Run<Answer>("Connections", "", deadline,
                           [&]() -> Answer { return world.connections; });
}

Result<ProbeFinding> PlainArray::RunProbe(const std::string& probe, const Deadline&) {
  return Error(ErrorCode::kInvalidArgument, "there is no probe '" + probe + "'");
}

void PlainArray::Forget() {
  remembered_.reset();
  world.is_forgotten = true;
}

Result<Survey> PlainArray::Look(std::chrono::system_clock::time_point oldest,
                                const Deadline& deadline) {
  return world.Run<Result<Survey>>("Look", "", deadline, [&]() -> Result<Survey> {
    Survey survey;
    for (const auto& disk : world.all()) {
      if (world.Visible(disk.name) == &disk && disk.is_whole) {
        survey.namespace_by_volume.emplace(disk.name.LeafText(), disk.uuid);
      }
      const bool is_concerned = !disk.shown && disk.create_time < oldest &&
                                world.marker.Read(disk.comment).owner == Owner::kOurs;
      if (auto left_over = LeftOverOf(disk); left_over && is_concerned) {
        left_over->is_abandoned = disk.is_deferred || !disk.is_whole;
        survey.left_overs.push_back(std::move(*left_over));
      }
    }
    return survey;
  });
}

Status PlainArray::Settle(const LeftOver& left_over, const Deadline& deadline) {
  return world.Run<Status>("Settle", left_over.description, deadline, [&]() -> Status {
    const auto uuid = Uuid::Parse(left_over.key);
    PlainDisk* disk = uuid ? world.ByUuid(*uuid) : nullptr;
    if (disk == nullptr || !LeftOverOf(*disk)) return {};
    if (!disk->is_deferred && disk->is_whole) {
      disk->mapping = Mapping::kHere;
    } else if (disk->is_held_by_deleted) {
      return Refused(ErrorCode::kBusy, "deleted clones hold '" + disk->ContainerName() + "'",
                     Refusal::kHeldByClones);
    } else {
      world.Erase(disk->uuid);
    }
    return {};
  });
}

}  // namespace ontapnvme::fakes
