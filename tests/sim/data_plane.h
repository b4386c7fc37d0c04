// SPDX-License-Identifier: AGPL-3.0-or-later
// What lies behind the REST objects: the bytes of namespaces, and the fabric that hosts see.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace ontapnvme::sim {

// Bytes of namespaces and of their images inside snapshots, both named by opaque ids. A failure of
// the machine below (a full disk, say) throws std::runtime_error: it is not part of the play.
class BlockStore {
 public:
  virtual ~BlockStore() = default;

  virtual void Create(const std::string& ns, std::uint64_t size_bytes) = 0;
  virtual void Resize(const std::string& ns, std::uint64_t size_bytes) = 0;
  virtual void Remove(const std::string& ns) = 0;

  virtual void Save(const std::string& ns, const std::string& image) = 0;
  virtual void DropImage(const std::string& image) = 0;
  // Writes the image over the namespace without replacing what holds it, size included.
  virtual void Restore(const std::string& image, const std::string& ns) = 0;
  virtual void Clone(const std::string& image, const std::string& new_ns) = 0;

  virtual std::string Read(const std::string& ns, std::uint64_t offset, std::size_t length) = 0;
  virtual void Write(const std::string& ns, std::uint64_t offset, const std::string& bytes) = 0;
  virtual std::uint64_t AllocatedBytes(const std::string& ns) = 0;
  // The file behind a namespace; empty where there is none.
  virtual std::string DevicePath(const std::string& ns) = 0;
};

struct TargetHost {
  std::string nqn;
  std::string dhchap_key;       // DHHC-1:…; empty: no authentication
  std::string dhchap_ctrl_key;  // empty: one way only
  std::string dhchap_hash;      // hmac(sha256), …; empty: the target's default
  std::string dhchap_group;     // ffdhe2048, …; empty: the target's default
  std::string tls_psk = {};     // NVMeTLSkey-1:…; empty: no TLS
};

// What ONTAP's vendor log page says of a namespace.
struct TargetLabels {
  std::string svm_name;
  std::string volume_name;
  std::string namespace_path;
};

struct TargetNamespace {
  unsigned nsid = 0;
  std::string uuid;
  std::string nguid;
  std::string device_path;
  std::uint32_t block_size_bytes = 4096;
  std::string node_name;  // that owns the aggregate below: its paths are the optimized ones
  TargetLabels labels;
};

struct TargetPortal {
  std::string address;
  std::string node_name;
};

// Faults of one portal; what is connected over it ends, except when it is silent.
enum class PortalMode {
  kServe,
  kRefuse,  // nothing listens
  kClose,   // connections are accepted and closed at once
  kSilent,  // connections stand or come about, and nothing is ever answered
};

class Fabric {
 public:
  virtual ~Fabric() = default;
  virtual void AddSubsystem(const std::string& nqn, const std::string& serial) = 0;
  virtual void RemoveSubsystem(const std::string& nqn) = 0;
  virtual void AddHost(const std::string& nqn, const TargetHost& host) = 0;
  virtual void RemoveHost(const std::string& nqn, const std::string& host_nqn) = 0;
  virtual void Attach(const std::string& nqn, const TargetNamespace& ns) = 0;
  virtual void Detach(const std::string& nqn, unsigned nsid) = 0;
  virtual void SizeChanged(const std::string& nqn, unsigned nsid) = 0;
  virtual void SetPortal(const TargetPortal& portal, bool is_up) = 0;
  // A volume was renamed or moved to another node. A target without that page has nothing to do.
  virtual void SetLabels(const std::string& nqn, unsigned nsid, const TargetLabels& labels,
                         const std::string& node_name) {
    (void)nqn, (void)nsid, (void)labels, (void)node_name;
  }
  // Throws std::invalid_argument where the target cannot do it, or has no such portal.
  virtual void SetPortalMode(const std::string&, PortalMode) {
    throw std::invalid_argument("only --nvme-target has portal faults");
  }
};

// For simulations without a fabric.
class NoFabric : public Fabric {
 public:
  void AddSubsystem(const std::string&, const std::string&) override {}
  void RemoveSubsystem(const std::string&) override {}
  void AddHost(const std::string&, const TargetHost&) override {}
  void RemoveHost(const std::string&, const std::string&) override {}
  void Attach(const std::string&, const TargetNamespace&) override {}
  void Detach(const std::string&, unsigned) override {}
  void SizeChanged(const std::string&, unsigned) override {}
  void SetPortal(const TargetPortal&, bool) override {}
};

}  // namespace ontapnvme::sim
