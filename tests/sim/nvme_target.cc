// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme_target.h"

#include <utility>

namespace ontapnvme::sim {

using target::ExportedNamespace;
using target::Subsystem;
using Lock = std::lock_guard<std::mutex>;

namespace {

std::string HexText(const target::Identifier& id) {
  std::string text;
  for (const std::uint8_t byte : id) {
    constexpr const char* kDigits = "0123456789abcdef";
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

}  // namespace

NvmeTarget::NvmeTarget(std::string firmware, std::uint16_t port, target::SteadyClock clock)
    : firmware_(std::move(firmware)), state_(std::move(clock)), server_(&state_, &mutex_, port) {}

NvmeTarget::~NvmeTarget() = default;

void NvmeTarget::AddSubsystem(const std::string& nqn, const std::string& serial) {
  const Lock lock(mutex_);
  auto subsystem = std::make_shared<Subsystem>();
  subsystem->nqn = nqn;
  subsystem->serial = serial;
  subsystem->firmware = firmware_;
  state_.subsystems[nqn] = std::move(subsystem);
}

void NvmeTarget::RemoveSubsystem(const std::string& nqn) {
  const Lock lock(mutex_);
  const auto found = state_.subsystems.find(nqn);
  if (found == state_.subsystems.end()) return;
  state_.EndControllers(*found->second);
  state_.subsystems.erase(found);
  server_.Wake();
}

void NvmeTarget::AddHost(const std::string& nqn, const TargetHost& host) {
  const Lock lock(mutex_);
  std::set<std::string>& allowed = state_.Require(nqn).host_nqns;
  if (host.dhchap_key.empty()) {
    allowed.insert(host.nqn);
  } else {
    allowed.erase(host.nqn);
  }
}

void NvmeTarget::RemoveHost(const std::string& nqn, const std::string& host_nqn) {
  const Lock lock(mutex_);
  Subsystem& subsystem = state_.Require(nqn);
  subsystem.host_nqns.erase(host_nqn);
  state_.EndControllers(subsystem, host_nqn);
  server_.Wake();
}

void NvmeTarget::Attach(const std::string& nqn, const TargetNamespace& ns) {
  const Lock lock(mutex_);
  Subsystem& subsystem = state_.Require(nqn);
  auto exported = std::make_unique<ExportedNamespace>(ns);
  exported->ana_group = state_.ana_groups.Of(ns.node_name);
  subsystem.namespaces[ns.nsid] = std::move(exported);
  state_.NamespaceChanged(subsystem, ns.nsid);
  server_.Wake();
}

void NvmeTarget::Detach(const std::string& nqn, unsigned nsid) {
  const Lock lock(mutex_);
  Subsystem& subsystem = state_.Require(nqn);
  if (subsystem.namespaces.erase(nsid) == 0) return;
  state_.NamespaceChanged(subsystem, nsid);
  server_.Wake();
}

void NvmeTarget::SizeChanged(const std::string& nqn, unsigned nsid) {
  const Lock lock(mutex_);
  Subsystem& subsystem = state_.Require(nqn);
  const auto found = subsystem.namespaces.find(nsid);
  if (found == subsystem.namespaces.end()) return;
  found->second->ReadSize();
  state_.NamespaceChanged(subsystem, nsid);
  server_.Wake();
}

void NvmeTarget::SetLabels(const std::string& nqn, unsigned nsid, const TargetLabels& labels,
                           const std::string& node_name) {
  const Lock lock(mutex_);
  Subsystem& subsystem = state_.Require(nqn);
  const auto found = subsystem.namespaces.find(nsid);
  if (found == subsystem.namespaces.end()) return;
  ExportedNamespace& ns = *found->second;
  ns.labels = labels;
  const unsigned group = state_.ana_groups.Of(node_name);
  if (std::exchange(ns.ana_group, group) == group) return;
  // Its group is in the Identify structure, the group's state in the log page.
  state_.NamespaceChanged(subsystem, nsid);
  state_.AnaChanged();
  server_.Wake();
}

void NvmeTarget::SetPortal(const TargetPortal& portal, bool is_up) {
  const Lock lock(mutex_);
  if (is_up) {
    server_.OpenPortal(portal.address, state_.ana_groups.Of(portal.node_name));
  } else {
    server_.ClosePortal(portal.address);
  }
}

std::vector<TargetController> NvmeTarget::Controllers(const std::string& nqn) {
  const Lock lock(mutex_);
  std::vector<TargetController> all;
  for (const auto& controller : state_.ControllersOf(state_.Require(nqn))) {
    const auto& identity = controller->identity();
    all.push_back({.id = identity.id,
                   .host_nqn = identity.host_nqn,
                   .host_id = HexText(identity.host_id),
                   .host_address = identity.route.host_address,
                   .portal_address = identity.route.portal_address,
                   .io_queues = controller->IoQueues()});
  }
  return all;
}

void NvmeTarget::LoseNamespaceNotices(bool are_lost) {
  const Lock lock(mutex_);
  state_.are_namespace_notices_lost = are_lost;
}

void NvmeTarget::SetPortalMode(const std::string& address, PortalMode mode) {
  const Lock lock(mutex_);
  server_.SetMode(address, mode);
}

std::uint16_t NvmeTarget::PortOf(const std::string& address) {
  const Lock lock(mutex_);
  return server_.PortOf(address);
}

}  // namespace ontapnvme::sim
