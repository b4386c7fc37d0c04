// SPDX-License-Identifier: AGPL-3.0-or-later
// The control commands about what hosts see of the array.
#include "control.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

PortalMode ToPortalMode(const std::string& text) {
  if (text == "serve") return PortalMode::kServe;
  if (text == "refuse") return PortalMode::kRefuse;
  if (text == "close") return PortalMode::kClose;
  if (text == "silent") return PortalMode::kSilent;
  throw std::invalid_argument("mode: serve, refuse, close or silent");
}

}  // namespace

// {"address": "127.0.0.1", "mode": "silent"}
json Control::NvmePortal(const json& arguments) {
  array_->world().fabric().SetPortalMode(arguments.at("address"),
                                         ToPortalMode(arguments.at("mode")));
  return json::object();
}

// {"mode": "lose"}: hosts are not told of changed namespaces until "serve", and never of these.
json Control::NvmeEvents(const json& arguments) {
  const std::string mode = arguments.at("mode");
  if (mode != "serve" && mode != "lose") throw std::invalid_argument("mode: serve or lose");
  array_->world().fabric().LoseNamespaceNotices(mode == "lose");
  return json::object();
}

// What the log page says of a namespace from now on: "says" replaces any of "svm", "volume" and
// "path"; without it, the truth.
json Control::NvmeLabels(const json& arguments) {
  World& world = array_->world();
  const NvmeNamespace& ns = RequireNamespace(arguments);
  const Subsystem* subsystem = world.subsystems.Find(ns.subsystem_uuid);
  if (subsystem == nullptr) throw std::invalid_argument("the namespace is not mapped");
  TargetNamespace target = world.TargetOf(ns);
  const json says = arguments.value("says", json::object());
  target.labels.svm_name = says.value("svm", target.labels.svm_name);
  target.labels.volume_name = says.value("volume", target.labels.volume_name);
  target.labels.namespace_path = says.value("path", target.labels.namespace_path);
  world.fabric().SetLabels(subsystem->target_nqn, ns.nsid, target.labels, target.node_name);
  return json::object();
}

}  // namespace ontapnvme::sim
