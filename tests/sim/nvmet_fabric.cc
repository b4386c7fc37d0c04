// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvmet_fabric.h"

#include <system_error>

namespace ontapnvme::sim {
namespace {

constexpr const char* kOurPrefix = "nqn.1992-08.com.netapp:sn.";
constexpr const char* kModel = "NetApp ONTAP Controller";
constexpr const char* kIoPort = "4420";
// Far from what an administrator would number by hand.
constexpr int kFirstPort = 44200;

bool IsOurs(const std::string& nqn) {
  return nqn.rfind(kOurPrefix, 0) == 0;
}
bool IsOurPort(const std::string& name) {
  return name.size() == 5 && name.rfind("442", 0) == 0;
}

std::string SubsystemFolder(const std::string& nqn) {
  return "subsystems/" + nqn;
}
std::string NamespaceFolder(const std::string& nqn, unsigned nsid) {
  return SubsystemFolder(nqn) + "/namespaces/" + std::to_string(nsid);
}

}  // namespace

NvmetFabric::NvmetFabric(Configfs* configfs, TlsKeys* keys, std::string firmware)
    : configfs_(configfs), keys_(keys), firmware_(std::move(firmware)) {
  RemoveLeftovers();
}

NvmetFabric::~NvmetFabric() {
  try {
    RemoveLeftovers();
  } catch (const std::system_error&) {
    // A host may still hold on to something; the next start removes it.
  }
}

// From the outside in: configfs refuses to remove what something else points at.
void NvmetFabric::RemoveLeftovers() {
  for (const std::string& port : configfs_->List("ports")) {
    const std::string folder = "ports/" + port;
    for (const std::string& nqn : configfs_->List(folder + "/subsystems")) {
      if (IsOurs(nqn)) configfs_->Unlink(folder + "/subsystems/" + nqn);
    }
    if (IsOurPort(port)) configfs_->RemoveFolder(folder);
  }
  for (const std::string& nqn : configfs_->List("subsystems")) {
    if (!IsOurs(nqn)) continue;
    subsystems_.insert(nqn);
    RemoveSubsystem(nqn);
  }
  ports_.clear();
}

void NvmetFabric::WriteIfPresent(const std::string& path, const std::string& value) {
  if (configfs_->Exists(path)) configfs_->Write(path, value);
}

void NvmetFabric::AddSubsystem(const std::string& nqn, const std::string& serial) {
  const std::string folder = SubsystemFolder(nqn);
  configfs_->MakeFolder(folder);
  subsystems_.insert(nqn);
  configfs_->Write(folder + "/attr_allow_any_host", "0");
  configfs_->Write(folder + "/attr_model", kModel);
  configfs_->Write(folder + "/attr_serial", serial);
  WriteIfPresent(folder + "/attr_firmware", firmware_);  // since Linux 6.2 or so
  LinkEverywhere(nqn);
}

void NvmetFabric::LinkEverywhere(const std::string& nqn) {
  for (const auto& [address, port] : ports_) {
    configfs_->Link(SubsystemFolder(nqn), port + "/subsystems/" + nqn);
  }
}

void NvmetFabric::RemoveSubsystem(const std::string& nqn) {
  if (subsystems_.erase(nqn) == 0) return;
  const std::string folder = SubsystemFolder(nqn);
  for (const auto& [address, port] : ports_) configfs_->Unlink(port + "/subsystems/" + nqn);
  for (const std::string& host_nqn : configfs_->List(folder + "/allowed_hosts")) {
    configfs_->Unlink(folder + "/allowed_hosts/" + host_nqn);
    RemoveHostEntryIfUnused(host_nqn);
  }
  for (const std::string& nsid : configfs_->List(folder + "/namespaces")) {
    configfs_->Write(folder + "/namespaces/" + nsid + "/enable", "0");
    configfs_->RemoveFolder(folder + "/namespaces/" + nsid);
  }
  configfs_->RemoveFolder(folder);
}

void NvmetFabric::AddHost(const std::string& nqn, const TargetHost& host) {
  const std::string folder = "hosts/" + host.nqn;
  configfs_->MakeFolder(folder);
  // Kernels without in-band authentication have none of these files.
  if (!host.dhchap_key.empty()) {
    WriteIfPresent(folder + "/dhchap_hash", host.dhchap_hash);
    WriteIfPresent(folder + "/dhchap_dhgroup", host.dhchap_group);
    WriteIfPresent(folder + "/dhchap_key", host.dhchap_key);
  }
  if (!host.dhchap_ctrl_key.empty()) {
    WriteIfPresent(folder + "/dhchap_ctrl_key", host.dhchap_ctrl_key);
  }
  // Debian 12 has no part of it. Its hosts have none either, and say so.
  if (!host.tls_psk.empty() && keys_->Insert(nqn, host.nqn, host.tls_psk)) OfferTls();
  configfs_->Link(folder, SubsystemFolder(nqn) + "/allowed_hosts/" + host.nqn);
}

void NvmetFabric::RemoveHost(const std::string& nqn, const std::string& host_nqn) {
  configfs_->Unlink(SubsystemFolder(nqn) + "/allowed_hosts/" + host_nqn);
  RemoveHostEntryIfUnused(host_nqn);
}

// The entry must go with its last use: a key cannot be cleared, only left behind.
void NvmetFabric::RemoveHostEntryIfUnused(const std::string& host_nqn) {
  for (const std::string& nqn : configfs_->List("subsystems")) {
    if (configfs_->Exists(SubsystemFolder(nqn) + "/allowed_hosts/" + host_nqn)) return;
  }
  configfs_->RemoveFolder("hosts/" + host_nqn);
}

void NvmetFabric::Attach(const std::string& nqn, const TargetNamespace& ns) {
  const std::string folder = NamespaceFolder(nqn, ns.nsid);
  configfs_->MakeFolder(folder);
  configfs_->Write(folder + "/device_path", ns.device_path);
  configfs_->Write(folder + "/device_uuid", ns.uuid);
  configfs_->Write(folder + "/device_nguid", ns.nguid);
  try {
    configfs_->Write(folder + "/enable", "1");
  } catch (const std::system_error&) {
    // File systems without direct I/O, such as tmpfs, need the page cache on older kernels.
    configfs_->Write(folder + "/buffered_io", "1");
    configfs_->Write(folder + "/enable", "1");
  }
}

void NvmetFabric::Detach(const std::string& nqn, unsigned nsid) {
  const std::string folder = NamespaceFolder(nqn, nsid);
  if (!configfs_->Exists(folder)) return;
  configfs_->Write(folder + "/enable", "0");
  configfs_->RemoveFolder(folder);
}

void NvmetFabric::SizeChanged(const std::string& nqn, unsigned nsid) {
  configfs_->Write(NamespaceFolder(nqn, nsid) + "/revalidate_size", "1");
}

void NvmetFabric::MakePort(const std::string& address) {
  const std::string folder = "ports/" + std::to_string(kFirstPort + next_port_++);
  configfs_->MakeFolder(folder);
  configfs_->Write(folder + "/addr_adrfam",
                   address.find(':') == std::string::npos ? "ipv4" : "ipv6");
  configfs_->Write(folder + "/addr_trtype", "tcp");
  configfs_->Write(folder + "/addr_traddr", address);
  configfs_->Write(folder + "/addr_trsvcid", kIoPort);
  if (offers_tls_) OfferTls(folder);
  ports_[address] = folder;
}

// From the first host with a key on, and not before: on such a port the target waits for the first
// bytes of a connection, one at a time, to tell a plain one.
void NvmetFabric::OfferTls() {
  if (offers_tls_) return;
  offers_tls_ = true;
  for (const auto& [address, port] : ports_) {
    // Only a port without subsystems can be changed; who is connected to it comes back.
    for (const std::string& nqn : subsystems_) configfs_->Unlink(port + "/subsystems/" + nqn);
    OfferTls(port);
  }
  for (const std::string& nqn : subsystems_) LinkEverywhere(nqn);
}

// Kernels before 6.7 have none of these files. The target cannot tell hosts apart here: one with a
// key may also connect without.
void NvmetFabric::OfferTls(const std::string& port) {
  WriteIfPresent(port + "/addr_treq", "not required");
  WriteIfPresent(port + "/addr_tsas", "tls1.3");
}

// The port listens while a subsystem is linked, so a LIF goes down by losing its links.
void NvmetFabric::SetPortal(const TargetPortal& portal, bool is_up) {
  const std::string& address = portal.address;
  const auto found = ports_.find(address);
  if (is_up && found == ports_.end()) {
    MakePort(address);
    for (const std::string& nqn : subsystems_) LinkEverywhere(nqn);
  }
  if (is_up || found == ports_.end()) return;
  const std::string folder = found->second;
  ports_.erase(found);
  for (const std::string& nqn : subsystems_) configfs_->Unlink(folder + "/subsystems/" + nqn);
  configfs_->RemoveFolder(folder);
}

}  // namespace ontapnvme::sim
