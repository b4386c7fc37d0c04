// SPDX-License-Identifier: AGPL-3.0-or-later
// Mirrors subsystems, hosts, maps and data LIFs into an NVMe/TCP target of this process. Unlike the
// kernel's it serves ONTAP's vendor log page, tells ANA states by node, and has faults.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "data_plane.h"
#include "nvme/server.h"
#include "nvme/target_state.h"

namespace ontapnvme::sim {

class NvmeTarget : public Fabric {
 public:
  static constexpr std::uint16_t kIoPort = 4420;

  // Port 0 takes any for each portal. Hosts that need authentication are not let in: it is not
  // played here, and a host that should prove itself must not pass without.
  explicit NvmeTarget(
      std::string firmware, std::uint16_t port = kIoPort,
      target::SteadyClock clock = [] { return std::chrono::steady_clock::now(); });
  ~NvmeTarget() override;
  NvmeTarget(const NvmeTarget&) = delete;
  NvmeTarget& operator=(const NvmeTarget&) = delete;

  void AddSubsystem(const std::string& nqn, const std::string& serial) override;
  void RemoveSubsystem(const std::string& nqn) override;
  void AddHost(const std::string& nqn, const TargetHost& host) override;
  void RemoveHost(const std::string& nqn, const std::string& host_nqn) override;
  void Attach(const std::string& nqn, const TargetNamespace& ns) override;
  void Detach(const std::string& nqn, unsigned nsid) override;
  void SizeChanged(const std::string& nqn, unsigned nsid) override;
  void SetLabels(const std::string& nqn, unsigned nsid, const TargetLabels& labels,
                 const std::string& node_name) override;
  void SetPortal(const TargetPortal& portal, bool is_up) override;
  std::vector<TargetController> Controllers(const std::string& nqn) override;
  void LoseNamespaceNotices(bool are_lost) override;
  void SetPortalMode(const std::string& address, PortalMode mode) override;

  std::uint16_t PortOf(const std::string& address);  // where a portal that is up listens
  // Looks at the timers again: an injected clock has moved.
  void Wake() { server_.Wake(); }

 private:
  std::mutex mutex_;  // guards the state, and the server's connections and portals
  std::string firmware_;
  target::TargetState state_;
  target::Server server_;  // last: its thread uses what is above
};

}  // namespace ontapnvme::sim
