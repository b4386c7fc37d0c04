// SPDX-License-Identifier: AGPL-3.0-or-later
// Sections of storage.cfg: lines of "key value"; what is missing is as in a usual section.
#include "fuzz/target.h"
#include "model/host_port.h"
#include "model/storage_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  using fuzz::Require;
  Settings settings{{"mgmt_ip", "192.0.2.1"},
                    {"username", "admin"},
                    {"vserver", "svm1"},
                    {"subsystem", "pve"},
                    {"aggregate", "aggr1"}};
  std::string_view rest = fuzz::Text(data, size);
  while (!rest.empty()) {
    std::string_view line = fuzz::Take(rest, '\n');
    const std::string_view key = fuzz::Take(line, ' ');
    settings[std::string(key)] = std::string(line);
  }
  const auto config = StorageConfig::Parse("store", settings);
  if (!config.ok()) {
    fuzz::RequireReadable(config.error().Line());
    return 0;
  }
  // Names stand in queries, paths and URLs.
  for (const std::string& name :
       {config->svm, config->subsystem, config->aggregate, config->prefix, config->snapshot_policy,
        config->qos_policy, config->adaptive_qos_policy, config->tiering_policy}) {
    Require(name.find_first_of("*|!<>{}\"'/\\?&=% \t\n") == std::string::npos,
            "a name is no pattern and no path", name);
  }
  Require(config->mgmt_host.find_first_of("/@?#[] ") == std::string::npos && config->mgmt_port > 0,
          "a host is no URL", config->mgmt_host);
  Require(config->username.find(':') == std::string::npos, "a user name has no password in it");
  return 0;
}
