// SPDX-License-Identifier: AGPL-3.0-or-later
#include "faults.h"

#include <map>
#include <stdexcept>

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

struct Action {
  const char* key;  // the argument that asks for it
  FaultKind kind;
  bool is_applied;  // unless the rule says otherwise
};

constexpr Action kActions[] = {
    {"status", FaultKind::kStatus, false},
    {"never_answer", FaultKind::kNeverAnswer, true},
    {"drop_before", FaultKind::kDropBefore, false},
    {"drop_after", FaultKind::kDropAfter, true},
    {"truncated", FaultKind::kTruncated, true},
    {"malformed", FaultKind::kMalformed, true},
    {"huge", FaultKind::kHuge, true},
    {"redirect", FaultKind::kRedirect, false},
    {"empty", FaultKind::kEmpty, true},
    {"short", FaultKind::kShort, true},
    {"job_failure", FaultKind::kJobFailure, false},
    {"job_vanishes", FaultKind::kJobVanishes, true},
    {"job_polls", FaultKind::kJobSlow, true},
    // Last, because a delay may accompany any other action.
    {"delay_ms", FaultKind::kDelay, true},
};

constexpr std::size_t kHugeBytesDefault = 64U << 20U;

void RefuseUnknown(const json& arguments) {
  static const char* const kOthers[] = {"cmd",  "method",      "path",    "nth",    "times",
                                        "code", "retry_after", "message", "applied"};
  for (const auto& [key, value] : arguments.items()) {
    bool is_known = false;
    for (const char* other : kOthers) is_known = is_known || key == other;
    for (const Action& action : kActions) is_known = is_known || key == action.key;
    if (!is_known) throw std::invalid_argument("fault-add: unknown argument '" + key + "'");
  }
}

}  // namespace

int FaultTable::Add(const json& arguments) {
  RefuseUnknown(arguments);
  FaultRule rule;
  bool has_action = false;
  for (const Action& action : kActions) {
    if (!arguments.contains(action.key) || arguments[action.key] == false) continue;
    rule.kind = action.kind;
    rule.is_applied = action.is_applied;
    has_action = true;
    break;
  }
  if (!has_action) throw std::invalid_argument("fault-add: no action");

  rule.id = next_id_++;
  rule.method = std::regex(arguments.value("method", ".*"));
  rule.path = std::regex(arguments.value("path", ".*"));
  rule.nth = arguments.value("nth", 1);
  rule.times = arguments.value("times", 1);
  rule.is_applied = arguments.value("applied", rule.is_applied);
  rule.delay = std::chrono::milliseconds(arguments.value("delay_ms", 0));
  rule.message = arguments.value("message", std::string("made to fail by a fault rule"));
  rule.code = arguments.value("code", 0);
  if (arguments.contains("retry_after")) rule.retry_after_s = arguments["retry_after"].get<int>();
  if (rule.kind == FaultKind::kStatus) rule.status = arguments["status"].get<int>();
  if (rule.kind == FaultKind::kRedirect) rule.location = arguments["redirect"].get<std::string>();
  if (rule.kind == FaultKind::kShort) rule.records_missing = arguments["short"].get<std::size_t>();
  if (rule.kind == FaultKind::kJobSlow) rule.job_polls = arguments["job_polls"].get<int>();
  if (rule.kind == FaultKind::kJobFailure && arguments["job_failure"].is_number()) {
    rule.code = arguments["job_failure"].get<int>();
  }
  if (rule.kind == FaultKind::kHuge) {
    const json& bytes = arguments["huge"];
    rule.body_bytes = bytes.is_number() ? bytes.get<std::size_t>() : kHugeBytesDefault;
  }
  rules_.push_back(std::move(rule));
  return rules_.back().id;
}

const FaultRule* FaultTable::Match(const Request& request) {
  const FaultRule* firing = nullptr;
  for (FaultRule& rule : rules_) {
    if (!std::regex_match(request.method, rule.method) ||
        !std::regex_search(request.target, rule.path)) {
      continue;
    }
    ++rule.seen;
    const bool is_due =
        rule.seen >= rule.nth && (rule.times < 0 || rule.seen < rule.nth + rule.times);
    if (firing == nullptr && is_due) {
      ++rule.fired;
      firing = &rule;
    }
  }
  return firing;
}

json FaultTable::ToJson() const {
  json list = json::array();
  for (const FaultRule& rule : rules_) {
    list.push_back({{"id", rule.id}, {"seen", rule.seen}, {"fired", rule.fired}});
  }
  return list;
}

}  // namespace ontapnvme::sim
