// SPDX-License-Identifier: AGPL-3.0-or-later
// The facts about the array that hardly ever change, and this node's registration with its
// subsystem: asked once, remembered by the process and the node.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "base/uuid.h"
#include "catalogue/missing_rights.h"
#include "catalogue/records.h"
#include "model/storage_config.h"
#include "node/node_state.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/release.h"
#include "ontap/rest_client.h"
#include "ontap/svm.h"

namespace ontapnvme::catalogue::flexvol {

// What follows when the account may not read the release; see MissingRights.
inline constexpr const char* kReleaseUnknown =
    "the release of the array is not known, and requests have the form that the oldest one takes";

struct ArrayFacts {
  std::optional<ontap::Release> release;  // absent: the account may not read it
  Uuid svm_uuid;
  Uuid subsystem_uuid;
  std::string subsystem_nqn;
  std::string host_nqn;  // this node's, as registered with the subsystem
  std::vector<std::string> lif_addresses;
  std::optional<Uuid> aggregate_uuid = {};  // absent: it may not be read, or is not there
  bool is_aggregate_encrypted = false;
  // It was refused when it was tried; forgotten with the rest, since another release may do it.
  bool refuses_overwrite = false;
  std::int64_t read_at_s = 0;  // seconds since the epoch

  // As a node keeps them. Nothing when something that all the rest hangs on is missing.
  static std::optional<ArrayFacts> Parse(const node::FactsFile::Facts& fields);
  node::FactsFile::Facts Fields() const;

  FabricTarget Target() const;
};

class FactSource {
 public:
  // Everything is borrowed.
  FactSource(ontap::RestClient& rest, const StorageConfig& config, const Secrets& secrets,
             const node::NodeState& node, Log& log)
      : rest_(&rest),
        svms_(rest),
        subsystems_(rest, config.svm),
        config_(&config),
        secrets_(&secrets),
        node_(&node),
        rights_(node.turns, log),
        log_(&log) {}

  // Of the storage, as its settings name it.
  const std::string& subsystem_name() const { return config_->subsystem; }
  // What the account lacks.
  const MissingRights& rights() const { return rights_; }
  // Remembered facts when they are fresh enough, else those of the array; stale ones while the
  // array does not answer, or refuses one of the questions. Makes the subsystem when there is none. Idempotent.
  Result<ArrayFacts> Read(const Deadline& deadline) { return ReadFor("", deadline); }
  // The same, and the subsystem knows this host NQN.
  Result<ArrayFacts> ReadFor(const std::string& host_nqn, const Deadline& deadline);
  // Asks the array in any case. An empty host NQN is not registered.
  Result<ArrayFacts> Refresh(const std::string& host_nqn, const Deadline& deadline);
  // Facts at hand, however old; sends nothing. The REST client knows the release afterwards: what
  // is asked of the array depends on it, so every call of a port begins with this.
  std::optional<ArrayFacts> Remembered();
  // This array does not give a namespace a snapshot's bytes in place: for all processes of this node.
  void NoteOverwriteRefused();
  // The SVM of the settings. kConflict when the one that this node remembers is called otherwise by
  // now; `is_replaced`: it is gone for all that can be told, and another has its name. One request,
  // two when the name does not lead to it.
  struct SvmNow {
    ontap::SvmInfo svm;
    bool is_replaced = false;
  };
  Result<SvmNow> ReadSvm(const Deadline& deadline);
  // The aggregate of the settings, found by its remembered UUID when it has another name by now:
  // that is a warning once a day.
  Result<ontap::AggregateInfo> ReadAggregate(const Deadline& deadline);
  // A warning once a day: there is no such aggregate.
  void TellOfMissingAggregate(const Error& missing, Clock& clock);
  // What this node remembers, whatever settings it was learnt under.
  std::optional<ArrayFacts> RememberedUnderAnySettings() const;
  // The REST client knows the release afterwards. kUnsupported when no storage can be on such an
  // array.
  Status LearnRelease(const Deadline& deadline);
  // Removes this node's host from the subsystem and adds it with the secrets of the settings: ONTAP
  // changes them in no other way. Ends its connections, so only for a node that has none.
  Status RegisterAnew(const std::string& host_nqn, const Deadline& deadline);
  // The live connections of all hosts to the subsystem.
  Result<std::vector<HostConnection>> Connections(const Deadline& deadline);
  // The subsystem of the settings as it is now, if there is one. Makes none.
  Result<std::optional<ontap::NvmeSubsystem>> FindSubsystem(const Deadline& deadline) {
    return subsystems_.Find(config_->subsystem, deadline);
  }
  // How many namespaces are mapped to it, whosever they are.
  Result<std::size_t> CountMaps(const ontap::NvmeSubsystem& subsystem, const Deadline& deadline) {
    return subsystems_.CountMaps(subsystem.uuid, deadline);
  }
  void Forget();

 private:
  // The same, and the REST client knows no more than before: for what runs while facts are being read.
  const std::optional<ArrayFacts>& Known();
  // Of `remembered`, after the array has not answered the question for fresh ones as it should.
  ArrayFacts GoOnWith(const ArrayFacts& remembered, const Error& failure, Clock& clock);
  Result<ontap::NvmeSubsystem> EnsureSubsystem(const Deadline& deadline);
  Status EnsureRegistered(const ontap::NvmeSubsystem& subsystem, const std::string& host_nqn,
                          const Deadline& deadline);
  void TellOfNames(const Error& trouble, Clock& clock);
  Result<std::vector<std::string>> LifAddresses(const Deadline& deadline);

  ontap::RestClient* rest_;
  ontap::Svms svms_;
  ontap::NvmeSubsystems subsystems_;
  const StorageConfig* config_;
  const Secrets* secrets_;
  const node::NodeState* node_;
  MissingRights rights_;
  Log* log_;
  std::optional<ArrayFacts> facts_;
  // After attempts to refresh them that failed: not before then, and how long that was.
  std::optional<TimePoint> next_try_at_;
  Duration pause_{0};
};

// kUnsupported for an array that this plugin cannot work with: older than 9.10.1, or ASA r2.
Status CheckCluster(const ontap::ClusterInfo& cluster);
// kConflict: another SVM has the name by now. Fact: svm_state=replaced.
Error ReplacedSvm(const StorageConfig& config, const ontap::SvmInfo& now);
// kUnavailable for an SVM that is stopped, or on its way.
Status CheckRunning(const ontap::SvmInfo& svm);

}  // namespace ontapnvme::catalogue::flexvol
