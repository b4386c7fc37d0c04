// SPDX-License-Identifier: AGPL-3.0-or-later
// ontap-sim: the simulated array as a program. README.md describes it.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <mutex>

#include "array.h"
#include "certificate.h"
#include "control.h"
#include "control_socket.h"
#include "file_store.h"
#include "https_server.h"
#include "nvme_target.h"
#include "nvmet_fabric.h"

namespace {

using namespace ontapnvme::sim;  // NOLINT: this is the program of that namespace
using nlohmann::json;

struct Options {
  std::string state;
  std::vector<std::string> listen = {"127.0.0.1:0"};
  std::string control;
  std::string release = "9.16.1";
  std::string personality = "unified";
  std::string config;
  std::vector<std::string> portals;
  bool has_nvmet = false;
  bool is_nvme_target = false;
  std::string nvmet_root = "/sys/kernel/config/nvmet";
  bool dies_with_parent = false;
};

void Declare(CLI::App* app, Options* options) {
  app->add_option("--state", options->state, "folder for certificates and namespaces")->required();
  app->add_option("--listen", options->listen, "IP:PORT to serve, port 0 for any; repeatable")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app->add_option("--control", options->control, "Unix socket for control commands");
  app->add_option("--release", options->release, "ONTAP release to play, 9.10.1 to 9.18.1");
  app->add_option("--personality", options->personality, "unified or asa_r2");
  app->add_option("--config", options->config, "JSON file that overrides the initial state");
  app->add_option("--portal", options->portals, "IP of a data LIF; repeatable")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  auto* nvmet =
      app->add_flag("--nvmet", options->has_nvmet, "export namespaces by the kernel's NVMe target");
  app->add_flag("--nvme-target", options->is_nvme_target,
                "export namespaces by the NVMe/TCP target of this program, with ONTAP's log page")
      ->excludes(nvmet);
  app->add_option("--nvmet-root", options->nvmet_root, "the target's configfs tree");
  app->add_flag("--die-with-parent", options->dies_with_parent,
                "end when the process that started this one ends");
}

json ReadConfig(const Options& options) {
  json config = json::object();
  if (!options.config.empty()) {
    std::ifstream file(options.config);
    if (!file) throw std::runtime_error("cannot read " + options.config);
    config = json::parse(file);
  }
  if (!options.portals.empty()) config["portals"] = options.portals;
  return config;
}

std::unique_ptr<Fabric> MakeFabric(const Options& options, Configfs* configfs, TlsKeys* keys) {
  if (options.has_nvmet) return std::make_unique<NvmetFabric>(configfs, keys, options.release);
  if (options.is_nvme_target) return std::make_unique<NvmeTarget>(options.release);
  return std::make_unique<NoFabric>();
}

int Run(const Options& options) {
  // Before any thread exists, so that only sigwait below sees them.
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  sigaddset(&ending, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  if (options.dies_with_parent) prctl(PR_SET_PDEATHSIG, SIGTERM);

  const std::filesystem::path state(options.state);
  std::filesystem::create_directories(state);
  // The kernel's target holds namespace files open, so its leftovers go before the files do.
  Configfs configfs(options.nvmet_root);
  TlsKeys keys;
  const std::unique_ptr<Fabric> fabric = MakeFabric(options, &configfs, &keys);
  FileStore store(std::filesystem::absolute(state));
  Array array({&store, fabric.get(), [] { return std::chrono::system_clock::now(); }},
              ReadConfig(options));
  Control control(&array);
  const json settings = {
      {"cmd", "set"}, {"release", options.release}, {"personality", options.personality}};
  const json answer = control.Execute(settings);
  if (!answer.value("ok", false)) throw std::runtime_error(answer.value("error", ""));

  std::vector<Endpoint> endpoints;
  std::vector<std::string> addresses;
  for (const std::string& text : options.listen) {
    endpoints.push_back(Endpoint::Parse(text));
    addresses.push_back(endpoints.back().address);
  }
  const ServerIdentity identity = MakeServerIdentity(addresses);
  const std::filesystem::path ca = std::filesystem::absolute(state / "ca.pem");
  std::ofstream(ca) << identity.ca_pem;

  std::mutex mutex;
  const HttpsServer server(&array, &mutex, identity, endpoints);
  std::unique_ptr<ControlSocket> socket;
  if (!options.control.empty()) {
    socket = std::make_unique<ControlSocket>(&control, &mutex, options.control);
  }

  json ready = {{"ca", ca.string()}, {"listen", json::array()}, {"pid", ::getpid()}};
  for (const Endpoint& endpoint : server.endpoints()) ready["listen"].push_back(endpoint.Text());
  std::cout << ready.dump() << std::endl;

  int signal = 0;
  sigwait(&ending, &signal);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("A strict stand-in for an ONTAP cluster");
  Declare(&app, &options);
  CLI11_PARSE(app, argc, argv);
  try {
    return Run(options);
  } catch (const std::exception& error) {
    std::cerr << "ontap-sim: " << error.what() << "\n";
    return 1;
  }
}
