// SPDX-License-Identifier: AGPL-3.0-or-later
// /protocols/nvme/subsystems/{subsystem.uuid}/hosts
#include <algorithm>
#include <map>
#include <regex>

#include "api_error.h"
#include "listing.h"
#include "query.h"
#include "routes.h"
#include "subsystem_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kExists = 72089705;
constexpr int kBadSecret = 72089716;
constexpr int kNqnWithoutQualifier = 72089771;
constexpr int kNqnWithoutPrefix = 72089772;
constexpr int kNqnBadDate = 72089773;
constexpr int kNqnMissing = 72090003;
constexpr int kHostNotFound = 72090004;
constexpr int kNqnTwice = 72090036;
constexpr int kHostSecretRequired = 72090042;
constexpr int kPskInvalid = 72090202;
constexpr int kPskMissing = 72090204;
constexpr int kPskSuperfluous = 72090205;
constexpr int kGeneratedNeedsSecret = 72090206;
constexpr std::size_t kNqnMaximum = 223;

void RequireNqn(const std::string& nqn) {
  if (nqn.empty()) Refuse(kNqnMissing, "Field \"nqn\" is required", "nqn");
  if (nqn.rfind("nqn.", 0) != 0) {
    Refuse(kNqnWithoutPrefix, "An NQN begins with \"nqn.\"", "nqn");
  }
  static const std::regex kDate("nqn\\.[0-9]{4}-(0[1-9]|1[0-2])\\..*");
  if (!std::regex_match(nqn, kDate)) Refuse(kNqnBadDate, "The date in the NQN is invalid", "nqn");
  static const std::regex kQualifier("nqn\\.[0-9-]{7}\\.[^:]+:.+");
  if (!std::regex_match(nqn, kQualifier) || nqn.size() > kNqnMaximum) {
    Refuse(kNqnWithoutQualifier, "The NQN lacks a qualifier", "nqn");
  }
}

// The message never repeats what was sent: it is a secret.
void RequireSecret(const std::string& secret, const std::string& field) {
  static const std::regex kForm("DHHC-1:0[013]:[A-Za-z0-9+/]+=*:");
  if (!secret.empty() && !std::regex_match(secret, kForm)) {
    Refuse(kBadSecret, "The DH-HMAC-CHAP secret is malformed", field);
  }
}

void RequireTls(const SubsystemHost& host) {
  static const std::regex kForm("NVMeTLSkey-1:0[12]:[A-Za-z0-9+/]+=*:");
  const std::string field = "tls.configured_psk";
  if (host.tls_key_type == "configured") {
    if (host.tls_psk.empty()) Refuse(kPskMissing, "The pre-shared key is missing", field);
    if (!std::regex_match(host.tls_psk, kForm)) Refuse(kPskInvalid, "The key is invalid", field);
  } else if (!host.tls_psk.empty()) {
    Refuse(kPskSuperfluous, "A pre-shared key needs the key type \"configured\"", field);
  }
  if (host.tls_key_type == "generated" &&
      (host.host_secret.empty() || host.group_size == "none" || host.group_size.empty())) {
    Refuse(kGeneratedNeedsSecret, "A generated key needs DH-HMAC-CHAP with a group",
           "tls.key_type");
  }
}

const char* AuthenticationMode(const SubsystemHost& host) {
  if (host.host_secret.empty()) return "none";
  return host.controller_secret.empty() ? "unidirectional" : "bidirectional";
}

json FullHostRecord(const Subsystem& subsystem, const SubsystemHost& host) {
  json record = HostRecord(host);
  record["subsystem"] = {{"uuid", subsystem.uuid}, {"name", subsystem.name}};
  record["_links"]["self"]["href"] =
      "/api/protocols/nvme/subsystems/" + subsystem.uuid + "/hosts/" + PercentEncode(host.nqn);
  return record;
}

Reply GetHosts(Call& call) {
  const Subsystem& subsystem = RequireSubsystem(call, "subsystem.uuid");
  return Listing(call, models::NvmeSubsystemHost()).Answer([&](const Emit& emit) {
    std::uint64_t order = 0;
    for (const SubsystemHost& host : subsystem.hosts) {
      emit(++order, FullHostRecord(subsystem, host));
    }
  });
}

Reply GetHost(Call& call) {
  const Single single(call, models::NvmeSubsystemHost());
  const Subsystem& subsystem = RequireSubsystem(call, "subsystem.uuid");
  for (const SubsystemHost& host : subsystem.hosts) {
    if (host.nqn == call.Param("nqn")) return single.Answer(FullHostRecord(subsystem, host));
  }
  RefuseMissing(kHostNotFound, "The host is not in the subsystem", "nqn");
}

// One host, or several under "records". Each record is checked like a body of its own.
std::vector<SubsystemHost> ParseHosts(const Call& call) {
  const json raw = json::parse(call.request.body, nullptr, false);
  const bool is_bulk = raw.is_object() && raw.contains("records");
  if (is_bulk && (raw.size() != 1 || !raw["records"].is_array())) {
    Refuse(code::kFieldConflict, "\"records\" excludes other fields", "records");
  }
  std::vector<SubsystemHost> hosts;
  const json list = is_bulk ? raw["records"] : json::array({raw});
  for (const json& entry : list) {
    const std::string text = entry.is_discarded() ? call.request.body : entry.dump();
    hosts.push_back(ParseHost(CheckBody(text, models::NvmeSubsystemHost(), Write::kCreate,
                                        call.release(), call.query.ignore_unknown_fields)));
  }
  return hosts;
}

Reply PostHosts(Call& call) {
  call.RequireNoMoreParams();
  const std::string uuid = RequireSubsystem(call, "subsystem.uuid").uuid;
  const std::vector<SubsystemHost> hosts = ParseHosts(call);
  World& world = call.world;
  Change change;
  change.is_create = true;
  change.location = "/api/protocols/nvme/subsystems/" + uuid + "/hosts";
  if (hosts.size() == 1) change.location += "/" + PercentEncode(hosts.front().nqn);
  change.model = &models::NvmeSubsystemHost();
  change.run = [&world, uuid, hosts](Phase phase) -> json {
    Subsystem& subsystem = *world.subsystems.Find(uuid);
    std::vector<SubsystemHost> together = subsystem.hosts;
    std::vector<std::string> fresh;
    for (const SubsystemHost& host : hosts) {
      if (std::find(fresh.begin(), fresh.end(), host.nqn) != fresh.end()) {
        Refuse(kNqnTwice, "The host NQN is given twice", "nqn");
      }
      fresh.push_back(host.nqn);
      AddHost(host, &together);
    }
    if (phase == Phase::kCheck) return nullptr;
    subsystem.hosts = std::move(together);
    for (const SubsystemHost& host : hosts) {
      world.fabric().AddHost(subsystem.target_nqn, ToTarget(host));
    }
    return FullHostRecord(subsystem, subsystem.hosts.back());
  };
  return Reply::To(std::move(change));
}

Reply DeleteHost(Call& call) {
  call.RequireNoMoreParams();
  Subsystem& subsystem = RequireSubsystem(call, "subsystem.uuid");
  World& world = call.world;
  Change change;
  change.run = [&world, &subsystem, nqn = call.Param("nqn")](Phase phase) -> json {
    auto& hosts = subsystem.hosts;
    const auto found = std::find_if(hosts.begin(), hosts.end(),
                                    [&](const SubsystemHost& host) { return host.nqn == nqn; });
    if (found == hosts.end()) {
      RefuseMissing(kHostNotFound, "The host is not in the subsystem", "nqn");
    }
    if (phase == Phase::kCheck) return nullptr;
    hosts.erase(found);
    world.fabric().RemoveHost(subsystem.target_nqn, nqn);
    return nullptr;
  };
  return Reply::To(std::move(change));
}

}  // namespace

SubsystemHost ParseHost(const json& body) {
  SubsystemHost host;
  host.nqn = TextAt(body, "nqn");
  RequireNqn(host.nqn);
  if (Has(body, "priority")) host.priority = TextAt(body, "priority");
  host.host_secret = TextAt(body, "dh_hmac_chap.host_secret_key");
  host.controller_secret = TextAt(body, "dh_hmac_chap.controller_secret_key");
  host.hash_function = TextAt(body, "dh_hmac_chap.hash_function");
  host.group_size = TextAt(body, "dh_hmac_chap.group_size");
  if (Has(body, "dh_hmac_chap") && host.host_secret.empty()) {
    Refuse(kHostSecretRequired, "In-band authentication needs a host secret",
           "dh_hmac_chap.host_secret_key");
  }
  RequireSecret(host.host_secret, "dh_hmac_chap.host_secret_key");
  RequireSecret(host.controller_secret, "dh_hmac_chap.controller_secret_key");
  if (!host.host_secret.empty() && host.hash_function.empty()) host.hash_function = "sha_256";
  if (!host.host_secret.empty() && host.group_size.empty()) host.group_size = "2048_bit";
  host.tls_psk = TextAt(body, "tls.configured_psk");
  if (Has(body, "tls.key_type")) host.tls_key_type = TextAt(body, "tls.key_type");
  // A key alone says what kind it is.
  if (!Has(body, "tls.key_type") && !host.tls_psk.empty()) host.tls_key_type = "configured";
  RequireTls(host);
  return host;
}

void AddHost(SubsystemHost host, std::vector<SubsystemHost>* hosts) {
  const bool is_there = std::any_of(hosts->begin(), hosts->end(), [&](const SubsystemHost& other) {
    return other.nqn == host.nqn;
  });
  if (is_there) RefuseConflict(kExists, "The host is in the subsystem already", "nqn");
  hosts->push_back(std::move(host));
}

json HostRecord(const SubsystemHost& host) {
  json record = {{"nqn", host.nqn}, {"priority", host.priority}};
  record["dh_hmac_chap"]["mode"] = AuthenticationMode(host);
  if (!host.host_secret.empty()) {
    record["dh_hmac_chap"]["hash_function"] = host.hash_function;
    record["dh_hmac_chap"]["group_size"] = host.group_size;
  }
  record["tls"]["key_type"] = host.tls_key_type;
  return record;
}

TargetHost ToTarget(const SubsystemHost& host) {
  static const std::map<std::string, std::string> kGroups = {
      {"none", "null"},          {"2048_bit", "ffdhe2048"}, {"3072_bit", "ffdhe3072"},
      {"4096_bit", "ffdhe4096"}, {"6144_bit", "ffdhe6144"}, {"8192_bit", "ffdhe8192"}};
  TargetHost target;
  target.nqn = host.nqn;
  target.dhchap_key = host.host_secret;
  target.dhchap_ctrl_key = host.controller_secret;
  target.tls_psk = host.tls_psk;
  if (host.host_secret.empty()) return target;
  target.dhchap_hash = host.hash_function == "sha_512" ? "hmac(sha512)" : "hmac(sha256)";
  target.dhchap_group = kGroups.at(host.group_size);
  return target;
}

void AddSubsystemHostRoutes(Routes* routes) {
  const std::string all = "protocols/nvme/subsystems/{subsystem.uuid}/hosts";
  routes->push_back({"GET", all, GetHosts});
  routes->push_back({"POST", all, PostHosts});
  routes->push_back({"GET", all + "/{nqn}", GetHost});
  routes->push_back({"DELETE", all + "/{nqn}", DeleteHost});
}

}  // namespace ontapnvme::sim
