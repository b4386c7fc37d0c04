// SPDX-License-Identifier: AGPL-3.0-or-later
// The simulated array: one REST request in, one outcome out.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "data_plane.h"
#include "faults.h"
#include "jobs.h"
#include "journal.h"
#include "request.h"
#include "routes.h"
#include "world.h"

namespace ontapnvme::sim {

// No sockets, threads or sleeping inside, and not thread-safe: callers serialise.
class Array {
 public:
  struct Parts {
    BlockStore* blocks;      // borrowed
    Fabric* fabric;          // borrowed
    Clock clock;             // the time that objects and jobs carry
    std::uint64_t seed = 0;  // of uuids; 0: different each time
  };

  // `config` overrides parts of the initial state, see InitialState. Throws std::invalid_argument
  // for one that makes no sense.
  explicit Array(Parts parts, const nlohmann::json& config = nlohmann::json::object());

  // Authenticates, applies fault rules, answers and records.
  Outcome Handle(const Request& request);
  // The same as the cluster's administrator, past fault rules, unrecorded and uncounted.
  Outcome HandleAsAdmin(const Request& request);

  World& world() { return world_; }
  FaultTable& faults() { return faults_; }
  Journal& journal() { return journal_; }
  JobTable& jobs() { return jobs_; }

 private:
  const Account& Authenticate(const Request& request) const;
  std::string ScopeOf(const Account& account, const Request& request);
  Outcome Process(const Request& request, const Account& account, const FaultRule* fault);
  Outcome Dispatch(const Request& request, const Account& account, const FaultRule* fault);
  bool IsShownEmpty(const Request& request) const;
  Outcome Complete(const Call& call, Reply reply, const FaultRule* fault);
  Outcome CompleteNow(const Call& call, Change change, const FaultRule* fault, bool is_job);
  Outcome CompleteLater(Change change, const FaultRule* fault);
  Outcome Spoil(const FaultRule& fault, Outcome outcome) const;
  bool GoesAsynchronous(const Change& change, const Query& query) const;

  World world_;
  JobTable jobs_;
  FaultTable faults_;
  Journal journal_;
  Routes routes_;
};

// An `Authorization` header value for the account.
std::string BasicAuthorization(const std::string& name, const std::string& password);

}  // namespace ontapnvme::sim
