// SPDX-License-Identifier: AGPL-3.0-or-later
#include "volume_rules.h"

#include <algorithm>
#include <cctype>

#include "api_error.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kNameTooLong = 917886;
constexpr int kNameBadStart = 917887;
constexpr int kNameBadCharacter = 917888;
constexpr int kSizeBelowMinimum = 917534;
constexpr int kReserveAbove90 = 917835;
constexpr int kPolicyUnknown = 917551;
constexpr int kGrowBelowShrink = 917829;
constexpr int kMinimumAboveMaximum = 917831;
constexpr int kMaximumTooLarge = 918521;
constexpr int kMinimumAboveSize = 918524;
constexpr int kCoolingDaysRefused = 918196;
constexpr int kNotFabricPool = 787144;
constexpr int kBadState = 918652;
constexpr int kKeyManagerMissing = 65537463;
constexpr int kLockingOnGroupMember = 918636;

constexpr std::size_t kNameMaximum = 203;
constexpr std::size_t kTagsMaximum = 64;
constexpr std::uint64_t kTebibyte = std::uint64_t{1} << 40U;

std::uint64_t VolumeBytesMaximum(const World& world, const Volume& volume) {
  const Switches& switches = world.settings.switches;
  if (switches.Is("volume_size_limit", "none")) return std::uint64_t{1} << 60U;
  const bool is_large = switches.Is("volume_size_limit", "large") &&
                        At(volume.extras, "space.large_size_enabled") == true;
  return (is_large ? 300 : 100) * kTebibyte;
}

std::uint64_t Unsigned(const json& body, const std::string& path) {
  const json& value = At(body, path);
  if (value.is_number_integer() && value.get<std::int64_t>() < 0) {
    Refuse(code::kBadValue, "The value is invalid for field \"" + path + "\"", path);
  }
  return value.get<std::uint64_t>();
}

void ApplySize(const World& world, const json& body, Volume* volume, bool is_create) {
  const bool has_size = Has(body, "size");
  const bool has_space_size = Has(body, "space.size");
  if (has_size && has_space_size && At(body, "size") != At(body, "space.size")) {
    Refuse(code::kFieldConflict, "\"size\" and \"space.size\" disagree", "size");
  }
  if (has_size || has_space_size) {
    volume->size_bytes = Unsigned(body, has_size ? "size" : "space.size");
  } else if (is_create) {
    volume->size_bytes = kVolumeBytesMinimum;
  } else {
    return;
  }
  if (volume->size_bytes < kVolumeBytesMinimum) {
    Refuse(kSizeBelowMinimum, "The size is below the minimum of 20MB", "size");
  }
  if (volume->size_bytes > VolumeBytesMaximum(world, *volume)) {
    Refuse(code::kBadValue, "The size is above the maximum", "size");
  }
}

void ApplyGuarantee(const json& body, Volume* volume, bool is_create) {
  const std::string type = TextAt(body, "guarantee.type");
  if (!type.empty()) volume->is_thick = type == "volume";
  if (Has(body, "space.fractional_reserve")) {
    const auto percent = At(body, "space.fractional_reserve").get<std::int64_t>();
    if (percent != 0 && percent != 100) {
      Refuse(code::kBadValue, "The fractional reserve must be 0 or 100",
             "space.fractional_reserve");
    }
    volume->fractional_reserve = percent;
  } else if (is_create || !type.empty()) {
    volume->fractional_reserve = volume->is_thick ? 100 : 0;
  }
  if (Has(body, "space.snapshot.reserve_percent")) {
    const std::uint64_t percent = Unsigned(body, "space.snapshot.reserve_percent");
    if (percent > 90) {
      Refuse(kReserveAbove90, "The snapshot reserve must not be above 90 percent",
             "space.snapshot.reserve_percent");
    }
    volume->snapshot_reserve_percent = static_cast<std::int64_t>(percent);
  }
}

void ApplySnapshotPolicy(World& world, const json& body, Volume* volume, bool is_create) {
  const std::string name = TextAt(body, "snapshot_policy.name");
  const std::string uuid = TextAt(body, "snapshot_policy.uuid");
  if (name.empty() && uuid.empty() && !is_create) return;
  const SnapshotPolicy* policy =
      uuid.empty() ? world.FindSnapshotPolicy(volume->svm_uuid, name.empty() ? "default" : name)
                   : world.snapshot_policies.Find(uuid);
  if (policy == nullptr) {
    Refuse(kPolicyUnknown, "Snapshot policy \"" + name + "\" was not found",
           "snapshot_policy.name");
  }
  volume->snapshot_policy_uuid = policy->uuid;
}

void ApplyTiering(World& world, const json& body, Volume* volume, bool is_create) {
  const Aggregate* aggregate = world.aggregates.Find(volume->aggregate_uuid);
  const std::string policy = TextAt(body, "tiering.policy");
  if (!policy.empty()) {
    if (policy != volume->tiering_policy) volume->min_cooling_days.reset();
    volume->tiering_policy = policy;
  } else if (is_create) {
    volume->tiering_policy = aggregate->is_fabric_pool ? "snapshot_only" : "none";
  }
  const bool needs_pool = volume->tiering_policy == "auto" || volume->tiering_policy == "all";
  if (needs_pool && !aggregate->is_fabric_pool) {
    Refuse(kNotFabricPool, "The volume is not on a FabricPool aggregate", "tiering.policy");
  }
  if (Has(body, "tiering.min_cooling_days")) {
    if (volume->tiering_policy == "none" || volume->tiering_policy == "all") {
      Refuse(kCoolingDaysRefused, "The tiering policy takes no minimum cooling days",
             "tiering.min_cooling_days");
    }
    volume->min_cooling_days = At(body, "tiering.min_cooling_days").get<std::int64_t>();
  }
}

void ApplyEncryption(World& world, const json& body, Volume* volume, bool is_create) {
  const Aggregate* aggregate = world.aggregates.Find(volume->aggregate_uuid);
  const json& wanted = At(body, "encryption.enabled");
  if (wanted.is_null()) {
    // An encrypted aggregate encrypts whatever does not ask to be left out.
    if (is_create && aggregate->is_encrypted) volume->encryption_type = "aggregate";
    return;
  }
  const bool is_encrypted = volume->encryption_type != "none";
  if (!wanted.get<bool>()) {
    if (is_encrypted && !Has(body, "movement.destination_aggregate")) {
      Refuse(code::kBadValue, "An encrypted volume can only be decrypted by a move",
             "encryption.enabled");
    }
    volume->encryption_type = "none";
    return;
  }
  if (!world.settings.has_key_manager) {
    Refuse(kKeyManagerMissing, "The key of the volume could not be created: no key manager",
           "encryption.enabled");
  }
  if (!is_encrypted) {
    volume->encryption_type = aggregate->is_encrypted && is_create ? "aggregate" : "volume";
  }
}

// Whether the array understands `form` as "no policy".
bool IsQosRemoved(const World& world, const json& form) {
  const std::string& wanted = world.settings.switches.At("qos_removal");
  const bool is_it = (wanted == "none" && form == "none") ||
                     (wanted.rfind("empty", 0) == 0 && form == "") ||
                     (wanted.rfind("null", 0) == 0 && form.is_null());
  const bool is_ignored = wanted.find("others_ignored") != std::string::npos;
  if (!is_it && !is_ignored) {
    Refuse(code::kBadValue, "QoS policy " + form.dump() + " was not found", "qos.policy.name");
  }
  return is_it;
}

void ApplyQos(World& world, const json& body, Volume* volume) {
  const json& policy = At(body, "qos.policy");
  if (policy.is_null()) return;
  const bool is_named = policy.contains("name") || policy.contains("uuid");
  const bool is_inline =
      policy.size() > (policy.contains("name") ? 1U : 0U) + (policy.contains("uuid") ? 1U : 0U);
  if (is_named && is_inline) {
    Refuse(code::kFieldConflict, "A named QoS policy excludes limits of its own", "qos.policy");
  }
  if (is_inline) {
    volume->qos_policy_uuid.clear();
    volume->inline_qos = policy;
    return;
  }
  const std::string name = TextAt(policy, "name");
  const std::string uuid = TextAt(policy, "uuid");
  if (uuid.empty() && (name == "none" || name.empty())) {
    if (IsQosRemoved(world, policy.value("name", json()))) {
      volume->inline_qos = nullptr;
      volume->qos_policy_uuid.clear();
    }
    return;
  }
  volume->inline_qos = nullptr;
  const QosPolicy* found =
      uuid.empty() ? world.FindQosPolicy(volume->svm_uuid, name) : world.qos_policies.Find(uuid);
  if (found == nullptr || found->svm_uuid != volume->svm_uuid) {
    Refuse(code::kBadValue, "QoS policy \"" + (uuid.empty() ? name : uuid) + "\" was not found",
           "qos.policy.name");
  }
  volume->qos_policy_uuid = found->uuid;
}

void ApplyAutosize(const World& world, const json& body, Volume* volume, bool is_create) {
  Autosize& autosize = volume->autosize;
  const std::uint64_t size = volume->size_bytes;
  if (Has(body, "autosize.mode")) autosize.mode = TextAt(body, "autosize.mode");
  const bool has_maximum = Has(body, "autosize.maximum");
  const bool has_minimum = Has(body, "autosize.minimum");
  if (has_maximum) autosize.maximum_bytes = Unsigned(body, "autosize.maximum");
  if (has_minimum) autosize.minimum_bytes = Unsigned(body, "autosize.minimum");
  if (is_create && !has_minimum) autosize.minimum_bytes = size;
  // Limits that were not named follow the size, as they do when a volume is resized.
  if (!has_maximum && autosize.maximum_bytes < size) autosize.maximum_bytes = size / 5 * 6;
  if (!has_minimum && autosize.minimum_bytes > size) autosize.minimum_bytes = size;
  if (Has(body, "autosize.grow_threshold")) {
    autosize.grow_threshold = At(body, "autosize.grow_threshold").get<std::int64_t>();
  }
  if (Has(body, "autosize.shrink_threshold")) {
    autosize.shrink_threshold = At(body, "autosize.shrink_threshold").get<std::int64_t>();
  }
  if (autosize.grow_threshold <= autosize.shrink_threshold) {
    Refuse(kGrowBelowShrink, "The grow threshold must be above the shrink threshold",
           "autosize.grow_threshold");
  }
  if (autosize.minimum_bytes > size) {
    Refuse(kMinimumAboveSize, "The autosize minimum is above the current size", "autosize.minimum");
  }
  if (autosize.minimum_bytes >= autosize.maximum_bytes) {
    Refuse(kMinimumAboveMaximum, "The autosize minimum must be below the maximum",
           "autosize.minimum");
  }
  if (Has(body, "autosize.maximum") &&
      autosize.maximum_bytes > VolumeBytesMaximum(world, *volume)) {
    Refuse(kMaximumTooLarge, "The autosize maximum is above the maximum of a volume",
           "autosize.maximum");
  }
}

void ApplyRest(World& world, const json& body, Volume* volume) {
  if (Has(body, "comment")) volume->comment = TextAt(body, "comment");
  if (Has(body, "_tags")) {
    volume->tags = At(body, "_tags").get<std::vector<std::string>>();
    if (volume->tags.size() > kTagsMaximum) Refuse(code::kBadValue, "Too many tags", "_tags");
  }
  if (Has(body, "state")) {
    const std::string state = TextAt(body, "state");
    if (state != "online" && state != "offline" && state != "restricted") {
      Refuse(kBadState, "The state \"" + state + "\" cannot be set", "state");
    }
    volume->state = state;
  }
  if (At(body, "snapshot_locking_enabled") == true && world.GroupOf(volume->uuid) != nullptr) {
    Refuse(kLockingOnGroupMember, "Snapshot locking is refused on members of a consistency group",
           "snapshot_locking_enabled");
  }
  for (const char* path :
       {"anti_ransomware", "efficiency", "snapshot_locking_enabled",
        "scheduled_snapshot_naming_scheme", "snapshot_directory_access_enabled", "nas"}) {
    if (Has(body, path)) volume->extras[path] = At(body, path);
  }
  for (const char* name : {"logical_space", "max_size"}) {
    const std::string path = std::string("space.") + name;
    if (Has(body, path)) volume->extras["space"][name] = At(body, path);
  }
  for (const char* name : {"autodelete", "autodelete_enabled", "autodelete_trigger"}) {
    const std::string path = std::string("space.snapshot.") + name;
    if (Has(body, path)) volume->extras["space"]["snapshot"][name] = At(body, path);
  }
}

}  // namespace

void ApplyVolumeSettings(World& world, const json& body, Volume* volume, bool is_create) {
  // It decides what sizes there may be.
  if (Has(body, "space.large_size_enabled")) {
    volume->extras["space"]["large_size_enabled"] = At(body, "space.large_size_enabled");
  }
  ApplySize(world, body, volume, is_create);
  ApplyGuarantee(body, volume, is_create);
  ApplySnapshotPolicy(world, body, volume, is_create);
  ApplyTiering(world, body, volume, is_create);
  ApplyEncryption(world, body, volume, is_create);
  ApplyQos(world, body, volume);
  ApplyAutosize(world, body, volume, is_create);
  ApplyRest(world, body, volume);
}

void RequireVolumeName(World& world, const std::string& svm_uuid, const std::string& name) {
  if (name.empty()) Refuse(code::kRequired, "Field \"name\" is required", "name");
  if (name.size() > kNameMaximum) {
    Refuse(kNameTooLong, "The volume name is longer than 203 characters", "name");
  }
  const auto is_letter = [](unsigned char byte) {
    return byte < 0x80 && (std::isalpha(byte) != 0 || byte == '_');
  };
  if (!is_letter(static_cast<unsigned char>(name.front()))) {
    Refuse(kNameBadStart, "A volume name starts with a letter or an underscore", "name");
  }
  const bool is_clean = std::all_of(name.begin(), name.end(), [&](unsigned char byte) {
    return is_letter(byte) || (byte < 0x80 && std::isdigit(byte) != 0);
  });
  if (!is_clean) {
    Refuse(kNameBadCharacter, "The volume name has a character that is not allowed", "name");
  }
  if (world.FindVolume(svm_uuid, name) != nullptr) {
    RefuseConflict(volume_code::kNameTaken, "Volume \"" + name + "\" exists", "name");
  }
}

void RequireSpaceFor(World& world, const Volume& candidate) {
  const Volume* stored = world.volumes.Find(candidate.uuid);
  const Aggregate* aggregate = world.aggregates.Find(candidate.aggregate_uuid);
  std::uint64_t available = world.AggregateAvailableBytes(*aggregate);
  const bool is_there_already =
      stored != nullptr && stored->aggregate_uuid == candidate.aggregate_uuid;
  if (is_there_already) available += world.FootprintBytes(*stored);
  if (world.FootprintBytes(candidate) > available || (!is_there_already && available == 0)) {
    RefuseNoSpace("Not enough space in aggregate \"" + aggregate->name + "\"");
  }

  const Svm* svm = world.svms.Find(candidate.svm_uuid);
  if (!svm->storage_limit_bytes) return;
  const auto counted = [](const Volume& volume) {
    return volume.autosize.mode == "off"
               ? volume.size_bytes
               : std::max(volume.size_bytes, volume.autosize.maximum_bytes);
  };
  const std::uint64_t before = stored == nullptr ? 0 : counted(*stored);
  const std::uint64_t after = counted(candidate);
  if (after > before &&
      world.SvmAllocatedBytes(*svm) - before + after > *svm->storage_limit_bytes) {
    RefuseNoSpace("The storage limit of SVM \"" + svm->name + "\" would be exceeded");
  }
}

std::uint64_t NamespaceRoomBytes(const Volume& volume) {
  const std::uint64_t size = volume.autosize.mode == "off"
                                 ? volume.size_bytes
                                 : std::max(volume.size_bytes, volume.autosize.maximum_bytes);
  return size / 100 * static_cast<std::uint64_t>(100 - volume.snapshot_reserve_percent);
}

Volume& RequireVolume(const Call& call, const std::string& param) {
  Volume* volume = call.world.volumes.Find(call.Param(param));
  if (volume == nullptr || !call.Sees(volume->svm_uuid)) {
    RefuseMissing(volume_code::kNotFound,
                  "Volume with UUID \"" + call.Param(param) + "\" was not found", param);
  }
  return *volume;
}

}  // namespace ontapnvme::sim
