// SPDX-License-Identifier: AGPL-3.0-or-later
#include "control.h"

#include <algorithm>
#include <functional>
#include <map>
#include <stdexcept>

#include "api_error.h"
#include "group_rules.h"
#include "snapshot_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

std::string ToHex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const char character : bytes) {
    const auto byte = static_cast<unsigned char>(character);
    hex += kDigits[byte >> 4U];
    hex += kDigits[byte & 15U];
  }
  return hex;
}

std::string FromHex(const std::string& hex) {
  if (hex.size() % 2 != 0) throw std::invalid_argument("odd number of hexadecimal digits");
  std::string bytes;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

AsyncMode ToAsyncMode(const std::string& text) {
  if (text == "auto") return AsyncMode::kAuto;
  if (text == "always") return AsyncMode::kAlways;
  if (text == "never") return AsyncMode::kNever;
  throw std::invalid_argument("async: auto, always or never");
}

Personality ToPersonality(const std::string& text) {
  if (text == "unified") return Personality::kUnified;
  if (text == "asa_r2") return Personality::kAsaR2;
  throw std::invalid_argument("personality: unified or asa_r2");
}

Release ToRelease(const std::string& text) {
  const auto release = Release::Parse(text);
  if (!release) throw std::invalid_argument("no such release: " + text);
  return *release;
}

std::chrono::milliseconds ToMilliseconds(const json& value) {
  return std::chrono::milliseconds(value.get<int>());
}

// {"lif": "127.0.0.2", "state": "up"|"down"} inside of `set`; by address or name.
void SetLif(World& world, const json& value) {
  const std::string which = value.at("name");
  const bool is_up = value.at("state") == "up";
  for (Lif& lif : world.lifs) {
    if (lif.name != which && lif.address != which) continue;
    lif.is_up = is_up;
    if (value.contains("enabled")) lif.is_enabled = value["enabled"];
    if (lif.CarriesNvme()) {
      world.fabric().SetPortal({lif.address, lif.node_name}, is_up && lif.is_enabled);
    }
    return;
  }
  throw std::invalid_argument("no LIF '" + which + "'");
}

// {"aggr1": bytes free}: what is not free is used by somebody else.
void SetFreeSpace(World& world, const json& value) {
  for (const auto& [name, bytes] : value.items()) {
    Aggregate* aggregate = world.FindAggregate(name);
    if (aggregate == nullptr) throw std::invalid_argument("no aggregate '" + name + "'");
    aggregate->foreign_used_bytes = 0;
    const std::uint64_t available = world.AggregateAvailableBytes(*aggregate);
    const auto wanted = bytes.get<std::uint64_t>();
    if (wanted > available) throw std::invalid_argument("more than the aggregate has");
    aggregate->foreign_used_bytes = available - wanted;
  }
}

// {"vsadmin": ["DELETE /api/storage/volumes.*"]}
void SetPermissions(World& world, const json& value) {
  for (const auto& [name, denied] : value.items()) {
    bool is_known = false;
    for (Account& account : world.accounts) {
      if (account.name != name) continue;
      account.denied = denied.get<std::vector<std::string>>();
      is_known = true;
    }
    if (!is_known) throw std::invalid_argument("no account '" + name + "'");
  }
}

void SetStorageLimit(World& world, const json& value) {
  for (const auto& [name, limit] : value.items()) {
    Svm* svm = world.FindSvm(name);
    if (svm == nullptr) throw std::invalid_argument("no SVM '" + name + "'");
    svm->storage_limit_bytes.reset();
    if (!limit.is_null()) svm->storage_limit_bytes = limit.get<std::uint64_t>();
  }
}

// {"svm1": "stopped"}
void SetSvmState(World& world, const json& value) {
  for (const auto& [name, state] : value.items()) {
    Svm* svm = world.FindSvm(name);
    if (svm == nullptr) throw std::invalid_argument("no SVM '" + name + "'");
    svm->state = state;
  }
}

// {"svm1": "svm1-mc"}: as a switchover or an administrator does it. Everything in it stays.
void RenameSvm(World& world, const json& value) {
  for (const auto& [name, now] : value.items()) {
    Svm* svm = world.FindSvm(name);
    if (svm == nullptr) throw std::invalid_argument("no SVM '" + name + "'");
    svm->name = now;
    for (Account& account : world.accounts) {
      if (account.svm_name == name) account.svm_name = now;
    }
  }
}

// {"aggr1": "aggr1_new"}
void RenameAggregate(World& world, const json& value) {
  for (const auto& [name, now] : value.items()) {
    Aggregate* aggregate = world.FindAggregate(name);
    if (aggregate == nullptr) throw std::invalid_argument("no aggregate '" + name + "'");
    aggregate->name = now;
    for (Svm& svm : world.svms) {
      std::replace(svm.aggregate_names.begin(), svm.aggregate_names.end(), name,
                   now.get<std::string>());
    }
  }
}

using Setter = std::function<void(World&, const json&)>;

const std::map<std::string, Setter>& Setters() {
  static const std::map<std::string, Setter> kSetters = {
      {"release", [](World& w, const json& v) { w.settings.release = ToRelease(v); }},
      {"personality", [](World& w, const json& v) { w.settings.personality = ToPersonality(v); }},
      {"async", [](World& w, const json& v) { w.settings.async = ToAsyncMode(v); }},
      {"job_polls", [](World& w, const json& v) { w.settings.job_polls = v; }},
      {"errors_in_jobs", [](World& w, const json& v) { w.settings.are_errors_in_jobs = v; }},
      {"latency_ms", [](World& w, const json& v) { w.settings.latency = ToMilliseconds(v); }},
      {"handshake_ms", [](World& w, const json& v) { w.settings.handshake = ToMilliseconds(v); }},
      {"job_ms", [](World& w, const json& v) { w.settings.job_time = ToMilliseconds(v); }},
      {"page_records", [](World& w, const json& v) { w.settings.page_records = v; }},
      {"key_manager", [](World& w, const json& v) { w.settings.has_key_manager = v; }},
      {"nvme_licence", [](World& w, const json& v) { w.settings.has_nvme_licence = v; }},
      {"clone_licence", [](World& w, const json& v) { w.settings.has_clone_licence = v; }},
      {"clock_ahead_s",
       [](World& w, const json& v) { w.settings.clock_ahead = std::chrono::seconds(v); }},
      {"multi_admin_on", [](World& w, const json& v) { w.settings.is_multi_admin_on = v; }},
      {"multi_admin_rules",
       [](World& w, const json& v) {
         w.settings.multi_admin_rules = v.get<std::vector<std::string>>();
       }},
      {"lif", SetLif},
      {"free_space", SetFreeSpace},
      {"permissions", SetPermissions},
      {"storage_limit", SetStorageLimit},
      {"svm_state", SetSvmState},
      {"svm_name", RenameSvm},
      {"aggregate_name", RenameAggregate},
  };
  return kSetters;
}

}  // namespace

json Control::Execute(const json& command) {
  try {
    if (!command.is_object()) throw std::invalid_argument("a command is a JSON object");
    json reply = Run(command.at("cmd"), command);
    reply["ok"] = true;
    return reply;
  } catch (const std::exception& error) {
    return {{"ok", false}, {"error", error.what()}};
  }
}

json Control::Run(const std::string& name, const json& arguments) {
  if (name == "log") return Log();
  if (name == "log-clear") {
    array_->journal().Clear();
    return json::object();
  }
  if (name == "count") return {{"count", array_->journal().size()}};
  if (name == "traffic") return {{"traffic", array_->journal().traffic().ToJson()}};
  if (name == "fault-add") return {{"id", array_->faults().Add(arguments)}};
  if (name == "fault-list") return {{"rules", array_->faults().ToJson()}};
  if (name == "fault-clear") {
    array_->faults().Clear();
    return json::object();
  }
  if (name == "orphans") {
    array_->jobs().FinishAll();
    return {{"orphans", array_->world().Orphans()}};
  }
  if (name == "state") return State();
  if (name == "age") return Age(arguments);
  if (name == "set") return Set(arguments);
  if (name == "read") return ReadBytes(arguments);
  if (name == "write") return WriteBytes(arguments);
  if (name == "schedule-snapshot") return ScheduleSnapshot(arguments);
  if (name == "controllers") return Controllers(arguments);
  if (name == "admin") return Admin(arguments);
  if (name == "nvme-portal") return NvmePortal(arguments);
  if (name == "nvme-labels") return NvmeLabels(arguments);
  if (name == "nvme-events") return NvmeEvents(arguments);
  throw std::invalid_argument("unknown command '" + name + "'");
}

json Control::Log() const {
  return {{"requests", array_->journal().ToJson()}};
}

json Control::Set(const json& arguments) {
  for (const auto& [key, value] : arguments.items()) {
    if (key == "cmd") continue;
    if (FindSwitchRow(key) != nullptr) {
      array_->world().settings.switches.Set(key, value.get<std::string>());
      continue;
    }
    const auto setter = Setters().find(key);
    if (setter == Setters().end()) throw std::invalid_argument("set: unknown '" + key + "'");
    setter->second(array_->world(), value);
  }
  return json::object();
}

// Everything a cluster administrator can read, by the same records that REST gives.
json Control::State() {
  static const std::map<std::string, std::string> kListings = {
      {"volumes", "/api/storage/volumes"},
      {"namespaces", "/api/storage/namespaces"},
      {"subsystems", "/api/protocols/nvme/subsystems"},
      {"subsystem_maps", "/api/protocols/nvme/subsystem-maps"},
      {"consistency_groups", "/api/application/consistency-groups"},
      {"snapshots", "/api/storage/volumes/*/snapshots"},
      {"recovery_queue", "/api/private/cli/volume/recovery-queue"},
      {"lifs", "/api/network/ip/interfaces"},
      {"aggregates", "/api/storage/aggregates"},
      {"svms", "/api/svm/svms"},
      {"jobs", "/api/cluster/jobs"},
  };
  Switches& switches = array_->world().settings.switches;
  const std::string bulk_snapshots = switches.At("bulk_snapshots");
  switches.Set("bulk_snapshots", "take");
  json state;
  for (const auto& [name, target] : kListings) {
    Request request;
    request.target = target + "?fields=**&max_records=1000000";
    state[name] = json::parse(array_->HandleAsAdmin(request).body)["records"];
  }
  switches.Set("bulk_snapshots", bulk_snapshots);

  World& world = array_->world();
  state["group_snapshots"] = json::array();
  for (const GroupSnapshot& snapshot : world.group_snapshots) {
    json members = json::array();
    for (const GroupSnapshotMember& member : snapshot.members) {
      members.push_back(member.volume_name);
    }
    state["group_snapshots"].push_back({{"name", snapshot.name},
                                        {"uuid", snapshot.uuid},
                                        {"group", world.groups.Find(snapshot.group_uuid)->name},
                                        {"is_invalid", snapshot.is_invalid},
                                        {"volumes", members}});
  }
  return {{"state", state}};
}

// By "uuid", or by "svm" (default svm1) and "path", or by "volume" when it holds exactly one.
const NvmeNamespace& Control::RequireNamespace(const json& arguments) {
  World& world = array_->world();
  array_->jobs().FinishAll();
  const NvmeNamespace* ns = nullptr;
  if (arguments.contains("uuid")) {
    ns = world.namespaces.Find(arguments["uuid"]);
  } else {
    const Svm* svm = world.FindSvm(arguments.value("svm", std::string("svm1")));
    if (svm == nullptr) throw std::invalid_argument("no such SVM");
    if (arguments.contains("path")) {
      ns = world.FindNamespace(svm->uuid, arguments["path"]);
    } else {
      const Volume* volume = world.FindVolume(svm->uuid, arguments.at("volume"));
      if (volume == nullptr) throw std::invalid_argument("no such volume");
      const auto inside = world.NamespacesOf(volume->uuid);
      if (inside.size() == 1) ns = inside.front();
    }
  }
  if (ns == nullptr) throw std::invalid_argument("no such namespace");
  return *ns;
}

json Control::ReadBytes(const json& arguments) {
  const std::string bytes = array_->world().blocks().Read(
      RequireNamespace(arguments).uuid, arguments.value("offset", std::uint64_t{0}),
      arguments.value("length", std::size_t{16}));
  return {{"hex", ToHex(bytes)}};
}

// "hex", or "text" for convenience.
json Control::WriteBytes(const json& arguments) {
  const std::string bytes = arguments.contains("hex") ? FromHex(arguments["hex"].get<std::string>())
                                                      : arguments.at("text").get<std::string>();
  array_->world().blocks().Write(RequireNamespace(arguments).uuid,
                                 arguments.value("offset", std::uint64_t{0}), bytes);
  return {{"written", bytes.size()}};
}

// As a policy's schedule does it: any name, also one that a client may not use.
json Control::ScheduleSnapshot(const json& arguments) {
  World& world = array_->world();
  array_->jobs().FinishAll();
  const Svm* svm = world.FindSvm(arguments.value("svm", std::string("svm1")));
  if (svm != nullptr && arguments.contains("group")) {
    return {{"uuid", ScheduleGroupSnapshot(world, arguments.at("group"), arguments.at("name"))}};
  }
  const Volume* volume =
      svm == nullptr ? nullptr : world.FindVolume(svm->uuid, arguments.at("volume"));
  if (volume == nullptr) throw std::invalid_argument("no such volume");
  Snapshot snapshot = TakeSnapshot(world, *volume, arguments.at("name"));
  return {{"uuid", world.snapshots.Add(std::move(snapshot)).uuid}};
}

// As if that much time had passed since everything was made. The recovery queue is left alone.
json Control::Age(const json& arguments) {
  const auto age = std::chrono::seconds(arguments.at("seconds").get<std::int64_t>());
  World& world = array_->world();
  array_->jobs().FinishAll();
  const auto make_older = [&](auto& table) {
    for (auto& object : table) object.create_time -= age;
  };
  make_older(world.volumes);
  make_older(world.namespaces);
  make_older(world.snapshots);
  make_older(world.group_snapshots);
  return json::object();
}

// Says which hosts are connected from now on: {"subsystem": name, "controllers": [{"id": …, "host": …}]}.
json Control::Controllers(const json& arguments) {
  const auto name = arguments.at("subsystem").get<std::string>();
  for (Subsystem& subsystem : array_->world().subsystems) {
    if (subsystem.name != name) continue;
    subsystem.controllers.push_back(
        {{"since_s", std::chrono::floor<std::chrono::seconds>(array_->world().Now())
                         .time_since_epoch()
                         .count()},
         {"controllers", arguments.at("controllers")}});
    return json::object();
  }
  throw std::invalid_argument("no such subsystem");
}

json Control::Admin(const json& arguments) {
  Request request;
  request.method = arguments.value("method", std::string("GET"));
  request.target = arguments.at("target");
  const json body = arguments.value("body", json());
  if (!body.is_null()) request.body = body.is_string() ? body.get<std::string>() : body.dump();
  const Outcome outcome = array_->HandleAsAdmin(request);
  array_->jobs().FinishAll();
  const json parsed = json::parse(outcome.body, nullptr, false);
  return {{"status", outcome.status},
          {"body", parsed.is_discarded() ? json(outcome.body) : parsed},
          {"location", HeaderValue(outcome.headers, "Location")}};
}

}  // namespace ontapnvme::sim
