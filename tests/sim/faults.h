// SPDX-License-Identifier: AGPL-3.0-or-later
// Rules that make chosen requests go wrong. A rule counts the requests it matches from its creation
// and fires on the nth, and on as many after that as `times` says.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "request.h"

namespace ontapnvme::sim {

enum class FaultKind {
  kStatus,       // an error answer
  kDelay,        // late, otherwise unharmed
  kNeverAnswer,  // silence
  kDropBefore,   // connection lost before anything happened
  kDropAfter,    // applied, answer lost
  kTruncated,    // applied, answer cut in the middle
  kMalformed,    // applied, answer is not JSON
  kHuge,         // applied, answer is larger than any client should take
  kRedirect,     // sent elsewhere
  kEmpty,        // a listing without its records
  kShort,        // a listing without some of its records
  kJobFailure,   // the job ends in failure and nothing is applied
  kJobVanishes,  // nobody knows the job any more; applied all the same
  kJobSlow       // the job needs more polls
};

struct FaultRule {
  int id = 0;
  FaultKind kind = FaultKind::kStatus;
  std::regex method;
  std::regex path;  // searched for in path and query
  int nth = 1;
  int times = 1;  // -1: for ever
  int seen = 0;
  int fired = 0;

  int status = 500;
  int code = 0;
  std::string message;
  std::optional<int> retry_after_s;
  std::chrono::milliseconds delay{0};
  std::size_t body_bytes = 0;
  std::string location;
  std::size_t records_missing = 0;
  int job_polls = 0;
  bool is_applied = false;  // for kinds where both can be meant

  bool NeedsJob() const { return kind >= FaultKind::kJobFailure; }
};

class FaultTable {
 public:
  // From the arguments of the control command `fault-add`; throws std::invalid_argument. Returns
  // the rule's id.
  int Add(const nlohmann::json& arguments);
  void Clear() { rules_.clear(); }
  // The first rule that fires for this request; all matching rules count it. Null: none.
  const FaultRule* Match(const Request& request);
  nlohmann::json ToJson() const;  // id, seen and fired of each rule

 private:
  std::vector<FaultRule> rules_;
  int next_id_ = 1;
};

}  // namespace ontapnvme::sim
