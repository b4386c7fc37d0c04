// SPDX-License-Identifier: AGPL-3.0-or-later
// Mirrors subsystems, hosts, maps and data LIFs into the kernel's NVMe target.
#pragma once

#include <map>
#include <set>
#include <string>

#include "configfs.h"
#include "data_plane.h"
#include "tls_keys.h"

namespace ontapnvme::sim {

class NvmetFabric : public Fabric {
 public:
  // `configfs` and `keys` are borrowed; the first stands for /sys/kernel/config/nvmet. Removes
  // whatever carries an NQN of the form the simulator uses, left by a run that did not end cleanly.
  NvmetFabric(Configfs* configfs, TlsKeys* keys, std::string firmware);
  // Takes down what it set up.
  ~NvmetFabric() override;
  NvmetFabric(const NvmetFabric&) = delete;
  NvmetFabric& operator=(const NvmetFabric&) = delete;

  void AddSubsystem(const std::string& nqn, const std::string& serial) override;
  void RemoveSubsystem(const std::string& nqn) override;
  void AddHost(const std::string& nqn, const TargetHost& host) override;
  void RemoveHost(const std::string& nqn, const std::string& host_nqn) override;
  void Attach(const std::string& nqn, const TargetNamespace& ns) override;
  void Detach(const std::string& nqn, unsigned nsid) override;
  void SizeChanged(const std::string& nqn, unsigned nsid) override;
  void SetPortal(const TargetPortal& portal, bool is_up) override;

 private:
  void RemoveLeftovers();
  void RemoveHostEntryIfUnused(const std::string& host_nqn);
  void LinkEverywhere(const std::string& nqn);
  void MakePort(const std::string& address);
  void OfferTls();
  void OfferTls(const std::string& port);
  void WriteIfPresent(const std::string& path, const std::string& value);

  Configfs* configfs_;
  TlsKeys* keys_;
  std::string firmware_;
  std::set<std::string> subsystems_;          // NQNs
  std::map<std::string, std::string> ports_;  // address -> folder, for the portals that are up
  int next_port_ = 0;
  bool offers_tls_ = false;
};

}  // namespace ontapnvme::sim
