// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/connections.h"

#include <algorithm>
#include <cerrno>

#include "base/ip_address.h"
#include "nvme/topology.h"

namespace ontapnvme::nvme {
namespace {

// A controller that is on its way out does not count as a connection; the kernel says so too
// (fabrics.h, nvmf_ctlr_matches_baseopts).
bool IsGoing(const Controller& controller) {
  return controller.state.starts_with("deleting") || controller.state == "dead";
}

bool IsConnected(const std::vector<Controller>& controllers, const ConnectSpec& spec,
                 const PathSpec& path) {
  return std::any_of(controllers.begin(), controllers.end(), [&](const Controller& controller) {
    const bool is_ours = controller.host_nqn.empty() || controller.host_nqn == spec.host.host_nqn;
    return is_ours && controller.transport == "tcp" && !IsGoing(controller) &&
           IsSameAddress(controller.traddr, path.traddr) &&
           controller.trsvcid == std::to_string(path.port);
  });
}

Result<Secret> ConnectRequest(const ConnectSpec& spec, const PathSpec& path) {
  const std::string port = std::to_string(path.port);
  return EncodeRequest({
      {"verb", "connect"},
      {"nqn", spec.subsystem_nqn},
      {"traddr", path.traddr},
      {"trsvcid", port},
      {"hostnqn", spec.host.host_nqn},
      {"hostid", spec.host.host_id},
      {"dhchap_secret", spec.dhchap_host_secret.Reveal()},
      {"dhchap_ctrl_secret", spec.dhchap_controller_secret.Reveal()},
      {"tls", spec.is_tls ? "1" : ""},
      {"tls_psk", spec.is_tls ? spec.tls_psk.Reveal() : ""},
  });
}

std::string PathText(const PathSpec& path) {
  return WithPort(path.traddr, path.port);
}

Status ConnectStatus(const ConnectSpec& spec, const PathSpec& path, const HelperOutcome& outcome) {
  const auto reply = outcome.Reply();
  if (!reply) {
    return reply.error()
        .Wrap("cannot connect path '" + PathText(path) + "'")
        .With("subsystem_nqn", spec.subsystem_nqn);
  }
  // Another process of this node was faster: what we want is there.
  if (reply->error == 0 || reply->error == EALREADY) return {};
  return ConnectError(spec, path, reply->error, reply->text);
}

// What an errno means. Sources: drivers/nvme/host/{fabrics,tcp,auth}.c, and what kernels 6.1 and
// 6.12 were seen to answer.
struct ErrnoRow {
  int number;
  ErrorCode code;
  const char* hint;
};

constexpr const char* kNetworkHint =
    "check that this data LIF is up and that this node has a route to it";
constexpr const char* kSecretHint =
    "compare the DH-HMAC-CHAP secrets of this storage with those of this host in the subsystem, "
    "and for TLS the pre-shared key";

constexpr ErrnoRow kErrnoRows[] = {
    {ECONNREFUSED, ErrorCode::kUnavailable,
     "check that the SVM serves NVMe and that the data LIF allows data-nvme-tcp"},
    {ECONNRESET, ErrorCode::kUnavailable,
     "the array closed the connection: does the port want TLS, or no TLS?"},
    {EHOSTUNREACH, ErrorCode::kUnavailable, kNetworkHint},
    {ENETUNREACH, ErrorCode::kUnavailable, kNetworkHint},
    {EADDRNOTAVAIL, ErrorCode::kUnavailable, kNetworkHint},
    {ETIMEDOUT, ErrorCode::kUnavailable,
     "the address does not answer: check VLAN, MTU and firewall between this node and the LIF"},
    // A status of the Connect command is no errno, and the kernel makes EIO of it: "invalid host"
    // is by far the most frequent.
    {EIO, ErrorCode::kPermissionDenied,
     "the array refused: check that it has a subsystem of this NQN, that the subsystem lists this "
     "node's host NQN, and that this LIF belongs to its SVM"},
    // The kernel keeps one host ID per host NQN, and one host NQN per host ID.
    {EINVAL, ErrorCode::kConflict,
     "another connection of this node may use this host NQN or host ID with a different partner; "
     "the kernel log has the reason"},
    {EADDRINUSE, ErrorCode::kConflict,
     "this host NQN is in use with another host ID: compare /etc/nvme/hostnqn and /etc/nvme/hostid "
     "with those of the other nodes, no two may share one"},
    {ENOKEY, ErrorCode::kUnauthenticated, kSecretHint},
    {EKEYREJECTED, ErrorCode::kUnauthenticated, kSecretHint},
    {EKEYEXPIRED, ErrorCode::kUnauthenticated, kSecretHint},
    {EKEYREVOKED, ErrorCode::kUnauthenticated, kSecretHint},
    {EACCES, ErrorCode::kUnauthenticated, kSecretHint},
    {EPERM, ErrorCode::kUnauthenticated, kSecretHint},
    {EOPNOTSUPP, ErrorCode::kUnsupported,
     "use a kernel and a libnvme that have this, or turn the setting off"},
    {EPROTONOSUPPORT, ErrorCode::kUnsupported,
     "the array asks for DH-HMAC-CHAP, which this kernel is built without"},
    // The kernel leaves the handshake to a daemon and found none that listens.
    {ESRCH, ErrorCode::kUnsupported,
     "for TLS this node needs a running 'tlshd': install ktls-utils and start its service"},
    {ENOENT, ErrorCode::kUnsupported, "load the transport with 'modprobe nvme-tcp'"},
    {ENODEV, ErrorCode::kUnsupported, "load the transport with 'modprobe nvme-tcp'"},
};

}  // namespace

Error ConnectError(const ConnectSpec& spec, const PathSpec& path, int code,
                   const std::string& detail) {
  // With TLS it is the handshake daemon's word for a key that the array does not have: an address
  // that is silent takes longer than the helper lives.
  const int meaning = spec.is_tls && code == ETIMEDOUT ? EKEYREJECTED : code;
  const auto row = std::find_if(std::begin(kErrnoRows), std::end(kErrnoRows),
                                [&](const ErrnoRow& each) { return each.number == meaning; });
  const bool is_known = row != std::end(kErrnoRows);
  Error error(is_known ? row->code : ErrorCode::kUnavailable,
              "cannot connect path '" + PathText(path) + "'");
  return std::move(error)
      .Because(detail)
      .With("errno", std::to_string(code))
      .With("subsystem_nqn", spec.subsystem_nqn)
      .With("host_nqn", spec.host.host_nqn)
      .Try(is_known ? row->hint : "the kernel log has the reason");
}

std::vector<PathResult> Connections::Connect(const ConnectSpec& spec, const Deadline& deadline) {
  std::vector<PathResult> results;
  std::vector<Secret> requests;
  std::vector<std::size_t> asked;  // index into `results` of each request
  const auto controllers = Topology(*sys_).Controllers(spec.subsystem_nqn);
  for (const auto& path : spec.paths) {
    results.push_back({path.traddr, Status()});
    if (controllers && IsConnected(*controllers, spec, path)) continue;
    auto request = ConnectRequest(spec, path);
    if (!request) {
      results.back().status = std::move(request).error();
      continue;
    }
    asked.push_back(results.size() - 1);
    requests.push_back(std::move(request).value());
  }
  if (requests.empty()) return results;
  const auto outcomes = helpers_->Run(requests, deadline);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    results[asked[i]].status = ConnectStatus(spec, spec.paths[asked[i]], outcomes[i]);
  }
  return results;
}

Status Connections::Disconnect(const std::string& subsystem_nqn, const Deadline& deadline) {
  TRY(const auto controllers, Topology(*sys_).Controllers(subsystem_nqn));
  if (subsystem_nqn.empty() || controllers.empty()) return {};
  std::vector<Secret> requests;
  for (const auto& controller : controllers) {
    TRY(auto request,
        EncodeRequest({{"verb", "disconnect"}, {"name", controller.name}, {"nqn", subsystem_nqn}}));
    requests.push_back(std::move(request));
  }
  const auto outcomes = helpers_->Run(requests, deadline);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const std::string sentence = "cannot disconnect controller '" + controllers[i].name + "'";
    const auto reply = outcomes[i].Reply();
    if (!reply) return reply.error().Wrap(sentence).With("subsystem_nqn", subsystem_nqn);
    if (reply->error == 0 || reply->error == ENOENT) continue;  // ENOENT: gone already
    return Error(ErrorCode::kUnavailable, sentence)
        .Because(reply->text)
        .With("errno", std::to_string(reply->error))
        .With("subsystem_nqn", subsystem_nqn);
  }
  return {};
}

void Connections::Repair(const std::string& subsystem_nqn) {
  const auto controllers = Topology(*sys_).Controllers(subsystem_nqn);
  if (subsystem_nqn.empty() || !controllers) return;
  for (const auto& controller : *controllers) {
    const std::string attribute = "class/nvme/" + controller.name + "/ctrl_loss_tmo";
    const auto value = sys_->Attribute(attribute);
    // The kernel prints "off" for -1 but reads numbers only (sysfs.c, nvme_ctrl_loss_tmo_store).
    if (!value || *value == "off" || *value == "-1") continue;
    (void)sys_->Write(attribute, "-1");
  }
}

void Connections::Rescan(const std::string& subsystem_nqn) {
  const auto controllers = Topology(*sys_).Controllers(subsystem_nqn);
  if (subsystem_nqn.empty() || !controllers) return;
  for (const auto& controller : *controllers) {
    if (!controller.is_live()) continue;  // it scans by itself when it comes back
    (void)sys_->Write("class/nvme/" + controller.name + "/rescan_controller", "1");
  }
}

}  // namespace ontapnvme::nvme
