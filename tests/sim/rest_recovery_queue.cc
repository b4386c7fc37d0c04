// SPDX-License-Identifier: AGPL-3.0-or-later
// /private/cli/volume/recovery-queue: deleted volumes that have not been purged.
#include "api_error.h"
#include "listing.h"
#include "routes.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr std::int64_t kRetentionHours = 12;

// The private CLI has no field lists: bodies hold the command's parameters.
json CliParameters(const Call& call) {
  const json body = json::parse(call.request.body, nullptr, false);
  if (!body.is_object()) Refuse(code::kBadJson, "Invalid JSON input");
  for (const auto& [key, value] : body.items()) {
    if ((key != "vserver" && key != "volume") || !value.is_string()) {
      Refuse(code::kUnexpectedArgument, "Unexpected argument \"" + key + "\".", key);
    }
  }
  for (const char* key : {"vserver", "volume"}) {
    if (!body.contains(key)) Refuse(code::kRequired, "Field is required", key);
  }
  return body;
}

QueuedVolume& RequireQueued(const Call& call, const json& parameters) {
  const Svm* svm = call.world.FindSvm(parameters["vserver"]);
  if (svm == nullptr || !call.Sees(svm->uuid)) {
    Refuse(code::kSvmNotVisible, "SVM does not exist or is not accessible to this user");
  }
  const auto name = parameters["volume"].get<std::string>();
  for (QueuedVolume& queued : call.world.recovery_queue) {
    if (queued.volume.svm_uuid == svm->uuid && queued.volume.name == name) {
      return queued;
    }
  }
  RefuseMissing(code::kNoEntry, "entry doesn't exist");
}

// A field that the command does not have is refused, as by the command line.
void RequireKnownFields(const Call& call) {
  if (!call.world.settings.switches.Is("queue_fields", "names")) return;
  const std::string& fields = call.query.fields;
  if (fields.find("deletion") != fields.npos || fields.find("retention") != fields.npos) {
    Refuse(code::kUnexpectedArgument, "Unexpected argument \"" + fields + "\".", "fields");
  }
}

Reply GetQueue(Call& call) {
  const World& world = call.world;
  RequireKnownFields(call);
  return Listing(call, models::RecoveryQueueEntry()).Answer([&](const Emit& emit) {
    for (const QueuedVolume& queued : world.recovery_queue) {
      if (!call.Sees(queued.volume.svm_uuid)) continue;
      emit(world.recovery_queue.Order(queued.uuid),
           {{"vserver", world.svms.Find(queued.volume.svm_uuid)->name},
            {"volume", queued.volume.name},
            {"deletion_request_time", World::Timestamp(queued.deletion_time)},
            {"retention_hours", kRetentionHours}});
    }
  });
}

Reply Purge(Call& call) {
  const json parameters = CliParameters(call);
  call.RequireNoMoreParams();
  const std::string uuid = RequireQueued(call, parameters).uuid;
  World& world = call.world;
  Change change;
  change.run = [&world, uuid](Phase phase) -> json {
    if (phase == Phase::kCheck) return nullptr;
    world.DestroyVolumeContents(uuid);
    world.recovery_queue.Erase(uuid);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

// NetApp's command reference (volume recovery-queue recover): the volume stays offline, and has neither
// its name nor its maps and snapshot schedules.
Reply Recover(Call& call) {
  const json parameters = CliParameters(call);
  call.RequireNoMoreParams();
  const std::string uuid = RequireQueued(call, parameters).uuid;
  World& world = call.world;
  Change change;
  change.run = [&world, uuid](Phase phase) -> json {
    if (phase == Phase::kCheck) return nullptr;
    Volume volume = world.recovery_queue.Find(uuid)->volume;
    volume.tags.clear();
    volume.state = "offline";
    volume.online_time.reset();
    const auto& switches = world.settings.switches;
    volume.snapshot_policy_uuid =
        world.FindSnapshotPolicy(volume.svm_uuid, switches.At("recovered_policy"))->uuid;
    world.recovery_queue.Erase(uuid);
    world.volumes.Add(std::move(volume));
    if (switches.Is("recovered_namespace", "kept")) return nullptr;
    for (const NvmeNamespace* ns : world.NamespacesOf(uuid)) world.Renew(ns->uuid);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

}  // namespace

void AddRecoveryQueueRoutes(Routes* routes) {
  routes->push_back({"GET", "private/cli/volume/recovery-queue", GetQueue});
  routes->push_back({"POST", "private/cli/volume/recovery-queue/purge", Purge});
  routes->push_back({"POST", "private/cli/volume/recovery-queue/recover", Recover});
}

}  // namespace ontapnvme::sim
