// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/flexvol_settings.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "ontap/disk_listings.h"
#include "ontap/query_value.h"
#include "ontap/rest_calls.h"

namespace ontapnvme::ontap {
namespace {

// `space.snapshot.autodelete.…` replaces `space.snapshot.autodelete_enabled` (NetApp REST
// reference, volumes).
constexpr Release kAutodeleteObject{9, 13, 1};
// How large the volumes of ONTAP's platforms may be (NetApp REST reference, volumes:
// space.max_size), the largest first.
constexpr std::array kVolumeLimits{GiB(600 * 1024), GiB(300 * 1024), GiB(100 * 1024)};

using Refused = std::vector<RefusedSetting>;

class Changes {
 public:
  Changes(RestClient& rest, const Uuid& volume, const Deadline& deadline)
      : rest_(rest), volume_(volume), deadline_(deadline) {}

  Status Patch(const Json& body, const char* setting) {
    return Apply(
        rest_,
        ChangeRequest::Patch(VolumePath(volume_), body,
                             std::string("change '") + setting + "' of volume " + volume_.Text()),
        deadline_);
  }

  Status SetAutosize(const AutosizeSetting& wanted) {
    const Status first = Patch({{"autosize", AutosizeJson(wanted.maximum)}}, "autosize");
    const bool is_above = !first.ok() && first.error().origin().refusal == Refusal::kAboveLimit;
    if (!is_above || !wanted.maximum) return first;
    for (const ByteCount limit : kVolumeLimits) {
      if (limit >= *wanted.maximum) continue;
      if (!Patch({{"autosize", AutosizeJson(limit)}}, "autosize").ok()) continue;
      return Error(ErrorCode::kUnsupported, "autosize stops at " + std::to_string(limit.bytes()) +
                                                " bytes, the most that this platform allows")
          .From({.refusal = Refusal::kAboveLimit});
    }
    return first;
  }

  // Which of the forms an array takes is not stated; that one was taken does not prove that it did
  // something.
  Status RemoveQosPolicy() {
    std::optional<Error> refused;
    for (const Json& none : {Json("none"), Json(""), Json(nullptr)}) {
      const Status patched = Patch({{"qos", {{"policy", {{"name", none}}}}}}, "qos_policy");
      if (!patched.ok() && IsOpen(patched.error())) return patched;
      if (!patched.ok()) {
        if (!refused) refused = patched.error();
        continue;
      }
      TRY(const auto seen, ReadState(rest_, volume_, deadline_));
      if (seen && seen->settings.qos_policy.value_or("").empty()) return {};
    }
    if (refused) return *std::move(refused);
    return Error(ErrorCode::kUnsupported,
                 "cannot take the QoS policy away from volume " + volume_.Text())
        .Because("the array keeps it")
        .Try("take it away on the array ('volume modify -qos-policy-group none')")
        .From({.refusal = Refusal::kFieldRefused});
  }

  Status SetQosPolicy(const std::string& policy) {
    if (policy.empty()) return RemoveQosPolicy();
    return Patch({{"qos", {{"policy", {{"name", policy}}}}}}, "qos_policy");
  }

  // PATCH only: arrays refuse both spellings in a POST (262196, seen on 9.17.1; NetApp's Ansible
  // module and Python library list them as changeable, not as settable at creation).
  Status SetAutodelete(bool is_on, const std::string& spared_prefix) {
    Json snapshot{{"autodelete_enabled", is_on}};
    if (rest_.IsKnownAtLeast(kAutodeleteObject)) {
      snapshot = {{"autodelete", {{"enabled", is_on}}}};
      if (is_on && !spared_prefix.empty()) {
        snapshot["autodelete"]["defer_delete"] = "prefix";
        snapshot["autodelete"]["prefix"] = spared_prefix;
      }
    }
    return Patch({{"space", {{"snapshot", snapshot}}}}, "snapshot_autodelete");
  }

 private:
  // Another form would meet the same.
  static bool IsOpen(const Error& error) {
    return error.outcome_unknown() || error.code() == ErrorCode::kUnavailable ||
           error.code() == ErrorCode::kTimedOut || error.code() == ErrorCode::kInterrupted ||
           error.code() == ErrorCode::kUnauthenticated ||
           error.code() == ErrorCode::kPermissionDenied;
  }

  RestClient& rest_;
  const Uuid& volume_;
  const Deadline& deadline_;
};

FlexVolState ParseState(FieldReader& fields) {
  FlexVolState state;
  state.state = fields.OptionalText("/state");
  state.is_encrypted = fields.OptionalBool("/encryption/enabled");
  auto& settings = state.settings;
  const auto text = [&](const char* path) -> std::optional<std::string> {
    std::string value = fields.OptionalText(path);
    return value.empty() ? std::nullopt : std::optional(std::move(value));
  };
  settings.snapshot_policy = text("/snapshot_policy/name");
  if (const auto guarantee = text("/guarantee/type")) settings.is_thick = *guarantee == "volume";
  if (const auto percent = fields.OptionalUint("/space/fractional_reserve")) {
    settings.is_fully_reserved = *percent == 100;
  }
  const std::string mode = fields.OptionalText("/autosize/mode");
  const auto maximum = fields.OptionalUint("/autosize/maximum");
  if (mode == "off") settings.autosize = AutosizeSetting{};
  if (mode == "grow" && maximum) settings.autosize = AutosizeSetting{ByteCount{*maximum}};
  settings.tiering_policy = text("/tiering/policy");
  settings.qos_policy = fields.OptionalText("/qos/policy/name");
  if (const auto percent = fields.OptionalUint("/space/snapshot/reserve_percent")) {
    settings.snapshot_reserve_percent =
        static_cast<unsigned>(std::min<std::uint64_t>(*percent, 100));
  }
  return state;
}

}  // namespace

bool IsNotTaken(const Error& error) {
  const Refusal refusal = error.origin().refusal;
  return refusal == Refusal::kFieldRefused || refusal == Refusal::kUnknownCode ||
         refusal == Refusal::kAboveLimit || error.code() == ErrorCode::kUnsupported;
}

Result<Refused> ApplySettings(RestClient& rest, const Uuid& volume, const FlexVolSettings& settings,
                              const Deadline& deadline) {
  Changes changes(rest, volume, deadline);
  std::vector<std::pair<const char*, std::function<Status()>>> steps;
  const auto add = [&](const auto& wanted, const char* name, auto change) {
    if (wanted) steps.emplace_back(name, [&wanted, change] { return change(*wanted); });
  };
  add(settings.snapshot_policy, "snapshot_policy", [&](const std::string& policy) {
    return changes.Patch({{"snapshot_policy", {{"name", policy}}}}, "snapshot_policy");
  });
  add(settings.is_thick, "space_reserve", [&](bool is_thick) {
    return changes.Patch({{"guarantee", {{"type", GuaranteeText(is_thick)}}}}, "space_reserve");
  });
  add(settings.is_fully_reserved, "fractional_reserve", [&](bool is_full) {
    return changes.Patch({{"space", {{"fractional_reserve", is_full ? 100 : 0}}}},
                         "fractional_reserve");
  });
  add(settings.autosize, "autosize",
      [&](const AutosizeSetting& wanted) { return changes.SetAutosize(wanted); });
  add(settings.tiering_policy, "tiering_policy", [&](const std::string& policy) {
    return changes.Patch({{"tiering", {{"policy", policy}}}}, "tiering_policy");
  });
  add(settings.qos_policy, "qos_policy",
      [&](const std::string& policy) { return changes.SetQosPolicy(policy); });
  add(settings.snapshot_reserve_percent, "snapshot_reserve", [&](unsigned percent) {
    return changes.Patch({{"space", {{"snapshot", {{"reserve_percent", percent}}}}}},
                         "snapshot_reserve");
  });
  add(settings.is_snapshot_autodelete_on, "snapshot_autodelete",
      [&](bool is_on) { return changes.SetAutodelete(is_on, settings.autodelete_spared_prefix); });
  Refused refused;
  for (const auto& [name, change] : steps) {
    Status applied = change();
    if (applied.ok()) continue;
    if (!IsNotTaken(applied.error())) return std::move(applied).error();
    refused.push_back({.name = name, .why = std::move(applied).error()});
  }
  return refused;
}

Result<std::optional<FlexVolState>> ReadState(RestClient& rest, const Uuid& volume,
                                              const Deadline& deadline) {
  ReadRequest request{.path = VolumePath(volume),
                      .doing = "read the settings of volume " + volume.Text()};
  request.query.Add("fields",
                    "state,snapshot_policy.name,guarantee.type,space.fractional_reserve,"
                    "autosize.mode,autosize.maximum,tiering.policy,qos.policy.name,"
                    "space.snapshot.reserve_percent,encryption.enabled");
  auto read = ReadOne(rest, request, ParseState, deadline);
  if (read.ok()) return std::optional(std::move(*read));
  if (read.error().origin().refusal == Refusal::kGone) return std::optional<FlexVolState>();
  return std::move(read).error();
}

FlexVolSettings Missing(FlexVolSettings wanted, const FlexVolSettings& in_force) {
  const auto drop = [](auto& value, const auto& there) {
    if (there && value == there) value.reset();
  };
  drop(wanted.snapshot_policy, in_force.snapshot_policy);
  drop(wanted.is_thick, in_force.is_thick);
  drop(wanted.is_fully_reserved, in_force.is_fully_reserved);
  drop(wanted.autosize, in_force.autosize);
  drop(wanted.tiering_policy, in_force.tiering_policy);
  drop(wanted.qos_policy, in_force.qos_policy);
  drop(wanted.snapshot_reserve_percent, in_force.snapshot_reserve_percent);
  drop(wanted.is_snapshot_autodelete_on, in_force.is_snapshot_autodelete_on);
  return wanted;
}

}  // namespace ontapnvme::ontap
