// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/context.h"

#include "base/masked_text.h"

namespace ontapnvme::pve {
namespace {

// What remembered facts depend on: another value of any of these is another array, SVM or
// subsystem.
std::string SettingsText(const StorageConfig& config) {
  std::string text = config.mgmt_host + " " + std::to_string(config.mgmt_port) + " " + config.svm +
                     " " + config.subsystem + " " + config.aggregate + " " +
                     (config.is_svm_scoped ? "svm" : "cluster");
  for (const auto& portal : config.portals) text += " " + portal;
  return text;
}

}  // namespace

Context::Context(StorageConfig storage_config, Secrets storage_secrets,
                 const Surroundings& surroundings, http::Transport& transport,
                 nvme::Host& nvme_host, http::Jitter jitter)
    : config(std::move(storage_config)),
      secrets(std::move(storage_secrets)),
      rest(transport, log, std::move(jitter)),
      volumes(rest, config.svm),
      namespaces(rest, config.svm),
      subsystems(rest, config.svm),
      snapshots(rest, config.svm),
      groups(rest, config.svm),
      svms(rest),
      host(nvme_host),
      ownership(surroundings.cluster_id, config.storage_id),
      memory(surroundings.state_directory, config.storage_id, SettingsText(config)),
      disk_memory(surroundings.disk_memory_file),
      links(surroundings.link_directory, config.storage_id),
      lvm_config_file(surroundings.lvm_config_file) {
  rest.Conceal({secrets.password, BasicLogin(config.username, secrets.password),
                secrets.dhchap_host_secret, secrets.dhchap_controller_secret, secrets.tls_psk});
}

}  // namespace ontapnvme::pve
