// SPDX-License-Identifier: AGPL-3.0-or-later
// The library as it is shipped, on a node whose kernel is the simulator: each namespace that is
// mapped is a device, and the device is the file in which the simulator keeps its bytes. Who writes
// through the link that a hook made has written to the array.
//
// The environment says where: ONTAP_SIM_CONTROL (control socket), ONTAP_SIM_STATE (state
// directory), ONTAP_SIM_NODE (which node this is; a UUID). A device is in use on a node while
// <state>/in-use/<node>/<uuid> is there.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/unique_fd.h"
#include "fakes/fake_host.h"
#include "http/curl_transport.h"
#include "pve/storage_parts.h"

namespace ontapnvme::pve {
namespace {

using nlohmann::json;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

// A read as the cluster's administrator: neither logged nor counted nor made to fail.
json Read(const std::string& target) {
  const std::string path = Environment("ONTAP_SIM_CONTROL");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) throw std::runtime_error("path too long");
  path.copy(address.sun_path, path.size());
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("the simulator is gone");
  }
  const std::string line = json{{"cmd", "admin"}, {"method", "GET"}, {"target", target}}.dump();
  if (::send(socket.get(), (line + "\n").data(), line.size() + 1, MSG_NOSIGNAL) < 0) {
    throw std::runtime_error("the simulator is gone");
  }
  std::string reply;
  char buffer[65536];
  while (reply.empty() || reply.back() != '\n') {
    const ssize_t got = ::recv(socket.get(), buffer, sizeof(buffer), 0);
    if (got <= 0) throw std::runtime_error("the simulator gave no answer");
    reply.append(buffer, static_cast<std::size_t>(got));
  }
  return json::parse(reply).at("body");
}

// By maps, so that an array full of namespaces which are not mapped costs nothing.
std::vector<nvme::Device> MappedNamespaces() {
  std::map<std::string, std::string> nqns;
  const json subsystems = Read("/api/protocols/nvme/subsystems?fields=name,target_nqn");
  for (const auto& one : subsystems.at("records")) {
    nqns[one.at("name")] = one.at("target_nqn");
  }
  std::vector<nvme::Device> devices;
  const json maps = Read(
      "/api/protocols/nvme/subsystem-maps?fields=namespace.uuid,subsystem.name&max_records=10000");
  for (const auto& map : maps.at("records")) {
    const std::string uuid = map.at("namespace").at("uuid");
    const json one = Read("/api/storage/namespaces/" + uuid + "?fields=space.size");
    if (one.contains("error")) continue;  // gone since
    nvme::Device device;
    device.name = "nvme0n" + std::to_string(devices.size() + 1);
    device.uuid = *Uuid::Parse(uuid);
    device.path = Environment("ONTAP_SIM_STATE") + "/namespaces/" + device.uuid.Text();
    device.stable_path = device.path;  // a file, whose name is the UUID
    device.subsystem_nqn = nqns[map.at("subsystem").at("name")];
    device.size = ByteCount{one.at("space").at("size").get<std::uint64_t>()};
    device.live_paths = 2;
    devices.push_back(device);
  }
  return devices;
}

class SimulatedNode : public fakes::FakeHost {
 public:
  SimulatedNode() : FakeHost(MappedNamespaces), node_(Environment("ONTAP_SIM_NODE")) {
    identity.host_nqn = "nqn.2014-08.org.nvmexpress:uuid:" + node_;
    identity.host_id = node_;
  }
  nvme::DeviceUsage Usage(const nvme::Device& device) override {
    const auto mark = std::filesystem::path(Environment("ONTAP_SIM_STATE")) / "in-use" / node_ /
                      device.uuid.Text();
    if (!std::filesystem::exists(mark)) return {};
    return {.is_used = true, .by = "process 1234 (kvm)"};
  }

 private:
  std::string node_;
};

}  // namespace

// In place of the library's own.
StorageParts RealParts(const StorageConfig& config, const Secrets& secrets,
                       const Surroundings& surroundings, Interrupt* interrupt) {
  http::CurlOptions options;
  options.host = config.mgmt_host;
  options.port = config.mgmt_port;
  options.username = config.username;
  options.password = secrets.password;
  options.ca_file = surroundings.ca_file;
  options.verify = config.is_tls_verified;
  StorageParts parts;
  parts.transport = std::make_unique<http::CurlTransport>(std::move(options));
  parts.host = std::make_unique<SimulatedNode>();
  parts.jitter = [] { return 0.0; };
  parts.clock = &SystemClock();
  parts.interrupt = interrupt;
  return parts;
}

}  // namespace ontapnvme::pve
