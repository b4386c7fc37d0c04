// SPDX-License-Identifier: AGPL-3.0-or-later
// The NVMe subsystem that all nodes of a cluster share, its hosts, and the maps of namespaces to
// it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "base/secret.h"
#include "base/uuid.h"

namespace ontapnvme::ontap {

class RestClient;

struct NvmeSubsystem {
  Uuid uuid;
  std::string name;
  std::string target_nqn;
  std::vector<std::string> host_nqns;
  std::string comment;  // read by FindWithComment only
};

// In-band authentication and TLS of one host entry; empty secrets are not sent. ONTAP never returns
// them: changing one means removing and adding the host, which drops its connections.
struct HostSecurity {
  Secret dhchap_host_secret;        // DHHC-1:…; 9.12.1 and later
  Secret dhchap_controller_secret;  // both directions
  Secret tls_psk;                   // interchange format; 9.16.1 and later
};

// A live connection, as the array sees its other end.
struct HostConnection {
  std::string host_nqn;
  std::string host_id;  // 32 hexadecimal digits
  std::string address;  // without port and brackets; empty when the array does not tell
};

class NvmeSubsystems {
 public:
  NvmeSubsystems(RestClient& rest, std::string svm_name)
      : rest_(&rest), svm_(std::move(svm_name)) {}

  // The subsystem with its hosts, if there is one. One request.
  Result<std::optional<NvmeSubsystem>> Find(const std::string& name, const Deadline& deadline);
  Result<std::optional<NvmeSubsystem>> FindWithComment(const std::string& name,
                                                       const Deadline& deadline);
  // Creates with os_type linux. kAlreadyExists when the name is taken.
  Result<NvmeSubsystem> Create(const std::string& name, const std::string& comment,
                               const Deadline& deadline);
  // Refused while it has hosts or mapped namespaces. Idempotent.
  Status Delete(const Uuid& subsystem, const Deadline& deadline);
  // Idempotent: a host that is there already is success.
  Status AddHost(const Uuid& subsystem, const std::string& host_nqn, const HostSecurity& security,
                 const Deadline& deadline);
  Status RemoveHost(const Uuid& subsystem, const std::string& host_nqn, const Deadline& deadline);

  // The live connections of all hosts to that subsystem.
  Result<std::vector<HostConnection>> ListConnections(const Uuid& subsystem,
                                                      const Deadline& deadline);

  // How many namespaces are mapped to that subsystem, whosever they are.
  Result<std::size_t> CountMaps(const Uuid& subsystem, const Deadline& deadline);
  // Idempotent: mapped to this subsystem already is success; mapped to another is kConflict.
  Status Map(const Uuid& namespace_uuid, const std::string& subsystem_name,
             const Deadline& deadline);
  // Idempotent: not mapped is success.
  Status Unmap(const Uuid& subsystem, const Uuid& namespace_uuid, const Deadline& deadline);

 private:
  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
