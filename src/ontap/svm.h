// SPDX-License-Identifier: AGPL-3.0-or-later
// The array as a storage needs to know it: release, SVM, data LIFs, aggregate, capacity.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"
#include "ontap/release.h"

namespace ontapnvme::ontap {

class RestClient;

struct ClusterInfo {
  std::string name;
  Release release;
  bool is_disaggregated = false;  // with is_san_optimized: ASA r2; alone: AFX
  bool is_san_optimized = false;
};

struct SvmInfo {
  Uuid uuid;
  std::string name;
  std::string state;  // running, or starting, stopping, stopped, deleting, initializing
  bool is_nvme_allowed = true;
  std::vector<std::string> aggregate_names;  // delegated ones

  // An array that does not say is taken at its word that the SVM is there.
  bool IsRunning() const { return state.empty() || state == "running"; }
};

struct DataLif {
  std::string name;
  std::string address;
  std::string home_node;
  bool is_up = false;  // enabled and state up
};

struct AggregateInfo {
  Uuid uuid;
  std::string name;
  ByteCount size;
  ByteCount used;
  ByteCount available;
  bool is_encrypted = false;  // NAE
};

// Multi-admin verification: what an administrator does waits until others have approved.
struct MultiAdminVerification {
  bool is_on = false;
  std::vector<std::string>
      operations;  // those that have a rule, as commands; read only while it is on
};

struct SvmCapacity {
  std::optional<ByteCount> limit;      // storage.limit, 9.13.1 and later, only where one is set
  std::optional<ByteCount> allocated;  // what counts against it
};

class Svms {
 public:
  explicit Svms(RestClient& rest) : rest_(&rest) {}

  // One request; two from 9.16.1 on.
  Result<ClusterInfo> ReadCluster(const Deadline& deadline);
  // How far the array's clock is ahead of this node's, as of its last answer; nothing: it did not say.
  std::optional<std::chrono::seconds> ClockAhead() const;
  // Cluster-scoped accounts only; from 9.11.1, before it is off. One request, two while it is on.
  Result<MultiAdminVerification> ReadMultiAdminVerification(const Deadline& deadline);
  // kNotFound when no such SVM is visible to the account.
  Result<SvmInfo> Read(const std::string& svm_name, const Deadline& deadline);
  // The SVM that has that UUID, whatever it is called by now. Nothing: the array says "not found"
  // for it, as it does for one that the account may not see.
  Result<std::optional<SvmInfo>> FindByUuid(const Uuid& uuid, const Deadline& deadline);
  // Whether the NVMe service of the SVM exists and is enabled.
  Result<bool> IsNvmeServiceEnabled(const std::string& svm_name, const Deadline& deadline);
  // LIFs that carry NVMe/TCP data, up or not.
  Result<std::vector<DataLif>> ListNvmeTcpLifs(const std::string& svm_name,
                                               const Deadline& deadline);

  // Cluster-scoped accounts only; kNotFound when there is none, kPermissionDenied for an SVM
  // account.
  Result<AggregateInfo> ReadAggregate(const std::string& name, const Deadline& deadline);
  // The aggregate that has that UUID, whatever it is called by now. Nothing: there is none.
  Result<std::optional<AggregateInfo>> FindAggregateByUuid(const Uuid& uuid,
                                                           const Deadline& deadline);
  // For SVM accounts: free space of a delegated aggregate, where the release shows it.
  Result<std::optional<ByteCount>> ReadDelegatedAvailable(const std::string& svm_name,
                                                          const std::string& aggregate,
                                                          const Deadline& deadline);
  // The SVM's limit and what counts against it, for svm_scoped; both absent where none is set or
  // the release (before 9.13.1) has none. The sum of the sizes of volumes is FlexVols::List's.
  Result<SvmCapacity> ReadCapacity(const std::string& svm_name, const Deadline& deadline);

  Result<bool> QosPolicyExists(const std::string& svm_name, const std::string& policy,
                               bool is_adaptive, const Deadline& deadline);
  Result<bool> SnapshotPolicyExists(const std::string& svm_name, const std::string& policy,
                                    const Deadline& deadline);

 private:
  RestClient* rest_;
};

}  // namespace ontapnvme::ontap
