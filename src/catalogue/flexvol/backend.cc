// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/backend.h"

#include <algorithm>

#include "base/masked_text.h"
#include "catalogue/flexvol/facts/storage_identity.h"
#include "catalogue/flexvol/qualify/qualification.h"
#include "catalogue/flexvol/setting_changes.h"
#include "catalogue/flexvol/verification.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// A right may be given at any time.
constexpr Duration kAskAgainAfter = std::chrono::hours(1);

ByteCount Minus(ByteCount from, ByteCount what) {
  return ByteCount{from > what ? from.bytes() - what.bytes() : 0};
}

// The SVM's limit or svm_capacity, of which the SVM's volumes use what they do; no more is available
// than the delegated aggregate has, where the release says so.
Result<CapacityInfo> ReadOfSvm(const Session& session, ontap::Svms& svms,
                               const Deadline& deadline) {
  const auto& config = session.config;
  TRY(const auto svm, svms.ReadCapacity(config.svm, deadline));
  CapacityInfo info;
  if (svm.limit) {
    info.total = *svm.limit;
    info.used = svm.allocated.value_or(ByteCount{});
  }
  if (config.svm_capacity || !svm.limit) {
    TRY(info.used, session.gate.UsedOnSvm(deadline));
    info.total = config.svm_capacity.value_or(info.total);
  }
  info.available = Minus(info.total, info.used);
  TRY(const auto free, svms.ReadDelegatedAvailable(config.svm, config.aggregate, deadline));
  if (!free) {
    // Nothing says what there is besides.
    info.total = std::max(info.total, info.used);
    return info;
  }
  if (info.total.bytes() == 0) info.total = ByteCount{info.used.bytes() + free->bytes()};
  const bool is_limited = config.svm_capacity || svm.limit;
  info.available = is_limited ? std::min(info.available, *free) : *free;
  return info;
}

}  // namespace

Backend::Backend(StorageConfig config, Secrets secrets, std::string cluster_id, Log& log,
                 http::Transport& transport, http::Jitter jitter, const node::NodeState& node)
    : config_(std::move(config)),
      secrets_(std::move(secrets)),
      rest_(transport, log, std::move(jitter)),
      svms_(rest_),
      facts_(rest_, config_, secrets_, node, log),
      gate_(rest_, config_, Marker(std::move(cluster_id), config_.storage_id)),
      groups_(rest_, config_, gate_, log),
      scratch_(rest_, config_, gate_.marker()),
      session_{.config = config_,
               .log = log,
               .facts = facts_,
               .gate = gate_,
               .groups = groups_,
               .scratch = scratch_,
               .members = node.members,
               .memory = node.disks},
      disks_(session_),
      snapshots_(session_),
      left_overs_(session_) {
  rest_.OnUnseenJob([this](const Error& denied, Clock& clock) {
    facts_.rights().Tell("jobs",
                         "of a change that takes long only the object tells whether it was made",
                         denied, clock);
  });
  rest_.Conceal({secrets_.password, BasicLogin(config_.username, secrets_.password),
                 secrets_.dhchap_host_secret, secrets_.dhchap_controller_secret, secrets_.tls_psk});
}

Status Backend::Verify(const std::string& host_nqn, const Deadline& deadline) {
  facts_.Remembered();
  return VerifyArray(session_, secrets_, svms_, host_nqn, deadline);
}

CheckResults Backend::Examine(const std::string& host_nqn, const Deadline& deadline) {
  facts_.Remembered();
  return ExamineArray(session_, svms_, host_nqn, deadline);
}

Result<CapacityInfo> Backend::Capacity(const Deadline& deadline) {
  facts_.Remembered();
  if (config_.is_svm_scoped || IsAggregateHidden(deadline.clock())) return CapacityOfSvm(deadline);
  const auto aggregate = facts_.ReadAggregate(deadline);
  const bool is_missing = FailedWith(aggregate, ErrorCode::kNotFound);
  if (is_missing || FailedWith(aggregate, ErrorCode::kPermissionDenied)) {
    if (is_missing) {
      facts_.TellOfMissingAggregate(aggregate.error(), deadline.clock());
    } else {
      facts_.rights().Tell("aggregates", kCapacityOfSvm, aggregate.error(), deadline.clock());
    }
    aggregate_hidden_at_ = deadline.clock().Now();
    return CapacityOfSvm(deadline);
  }
  if (!aggregate.ok()) return aggregate.error();
  return CapacityInfo{
      .total = aggregate->size, .available = aggregate->available, .used = aggregate->used};
}

// What an SVM shows of its space depends on the release.
Result<CapacityInfo> Backend::CapacityOfSvm(const Deadline& deadline) {
  if (!rest_.release()) {
    const auto learnt = facts_.LearnRelease(deadline);
    if (!learnt.ok() && !FailedWith(learnt, ErrorCode::kPermissionDenied)) return learnt.error();
  }
  return ReadOfSvm(session_, svms_, deadline);
}

// A poll does not ask each time what it was refused.
bool Backend::IsAggregateHidden(Clock& clock) const {
  return aggregate_hidden_at_ && clock.Now() - *aggregate_hidden_at_ < kAskAgainAfter;
}

Result<std::string> Backend::Identity(const Deadline& deadline) {
  TRY(const auto facts, facts_.Read(deadline));
  return StorageIdentity{.svm = facts.svm_uuid, .prefix = config_.prefix}.Text();
}

Status Backend::RequireSameDisks(const Deadline& deadline) {
  facts_.Remembered();
  return flexvol::RequireSameDisks(session_, svms_, deadline);
}

Status Backend::ApplyChanges(const StorageConfig& before, const Deadline& deadline) {
  facts_.Remembered();
  return ApplySettingChanges(session_, before, deadline);
}

Result<FabricTarget> Backend::Target(const std::string& host_nqn, const Deadline& deadline) {
  TRY(const auto facts, facts_.ReadFor(host_nqn, deadline));
  return facts.Target();
}

Result<FabricTarget> Backend::RefreshTarget(const std::string& host_nqn, const Deadline& deadline) {
  facts_.Remembered();
  TRY(const auto facts, facts_.Refresh(host_nqn, deadline));
  return facts.Target();
}

std::optional<FabricTarget> Backend::RememberedTarget() {
  const auto facts = facts_.Remembered();
  return facts ? std::optional(facts->Target()) : std::nullopt;
}

Status Backend::RegisterAnew(const FabricTarget& target, const Deadline& deadline) {
  return facts_.RegisterAnew(target.host_nqn, deadline);
}

Result<std::vector<HostConnection>> Backend::Connections(const Deadline& deadline) {
  return facts_.Connections(deadline);
}

std::vector<ProbeInfo> Backend::Probes() {
  return DescribeProbes();
}

// Which array and release it is, is asked anew: what is found out is of no use for another one.
Result<ProbeFinding> Backend::RunProbe(const std::string& probe, const Deadline& deadline) {
  facts_.Remembered();
  TRY(const auto now, facts_.ReadSvm(deadline));
  if (now.is_replaced) return ReplacedSvm(config_, now.svm);
  const auto learnt = facts_.LearnRelease(deadline);
  const bool is_hidden = FailedWith(learnt, ErrorCode::kPermissionDenied);
  if (!learnt.ok() && !is_hidden) return learnt.error();
  Qualification qualification(rest_, config_, gate_.marker(), session_.log);
  TRY(auto finding, qualification.Run(probe, deadline));
  finding.svm_uuid = now.svm.uuid.Text();
  if (!is_hidden && rest_.release()) finding.release = rest_.release()->Text();
  return finding;
}

}  // namespace ontapnvme::catalogue::flexvol
