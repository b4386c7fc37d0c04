// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/storage_parts.h"

#include <random>

#include "http/curl_transport.h"
#include "nvme/linux_host.h"

namespace ontapnvme::pve {
namespace {

std::unique_ptr<http::Transport> MakeTransport(const StorageConfig& config, const Secrets& secrets,
                                               const std::string& ca_file) {
  http::CurlOptions options;
  options.host = config.mgmt_host;
  options.port = config.mgmt_port;
  options.username = config.username;
  options.password = secrets.password;
  options.ca_file = ca_file;
  options.verify = config.is_tls_verified;
  options.client_app = std::string("pve-storage-ontapnvme/") + ONTAPNVME_VERSION;
  return std::make_unique<http::CurlTransport>(std::move(options));
}

http::Jitter MakeJitter() {
  return [engine = std::mt19937(std::random_device{}())]() mutable {
    return std::uniform_real_distribution<double>(0.0, 1.0)(engine);
  };
}

}  // namespace

StorageParts RealParts(const StorageConfig& config, const Secrets& secrets,
                       const Surroundings& surroundings, Interrupt* interrupt) {
  StorageParts parts;
  parts.transport = MakeTransport(config, secrets, surroundings.ca_file);
  parts.host = std::make_unique<nvme::LinuxHost>();
  parts.jitter = MakeJitter();
  parts.clock = &SystemClock();
  parts.interrupt = interrupt;
  return parts;
}

}  // namespace ontapnvme::pve
