// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/array_facts.h"

#include <algorithm>

#include "pve/resolve_name.h"

namespace ontapnvme::pve {
namespace {

// Long enough that a poll asks for nothing but the capacity, short enough that a new LIF or a new
// release is noticed without a restart.
constexpr std::int64_t kFreshFor_s = 3600;
constexpr Duration kSilentAfter{3000};
constexpr std::chrono::minutes kNoNewTryFor{1};

std::int64_t WallSeconds(Clock& clock) {
  return std::chrono::duration_cast<std::chrono::seconds>(clock.WallTime().time_since_epoch())
      .count();
}

bool IsFresh(const ArrayFacts& facts, Clock& clock) {
  const std::int64_t age_s = WallSeconds(clock) - facts.read_at_s;
  return age_s >= 0 && age_s < kFreshFor_s;
}

}  // namespace

Status CheckCluster(const ontap::ClusterInfo& cluster) {
  if (cluster.is_disaggregated) {
    const bool is_asa_r2 = cluster.is_san_optimized;
    return Error(ErrorCode::kUnsupported, "cannot use cluster '" + cluster.name + "'")
        .Because(is_asa_r2 ? "it is an ASA r2 system, which has no FlexVols and no aggregates"
                           : "it is an AFX system, where NVMe namespaces in FlexVols are untested")
        .With("release", cluster.release.Text())
        .Try("use a unified ONTAP (AFF, FAS, ASA of the first generation, ONTAP Select)");
  }
  if (cluster.release < ontap::kOldestSupported) {
    return Error(ErrorCode::kUnsupported, "cannot use cluster '" + cluster.name + "'")
        .Because("ONTAP " + cluster.release.Text() + " cannot resize NVMe namespaces")
        .Try("upgrade to ONTAP " + ontap::kOldestSupported.Text() + " or later");
  }
  return {};
}

std::optional<ArrayFacts> FactSource::Remembered() {
  if (!facts_) facts_ = context_->memory.Load();
  if (facts_) context_->rest.SetRelease(facts_->release);
  return facts_;
}

void FactSource::Forget() {
  facts_.reset();
  context_->memory.Forget();
}

Result<ArrayFacts> FactSource::ReadFor(const std::string& host_nqn, const Deadline& deadline) {
  const auto remembered = Remembered();
  const bool serves = remembered && (host_nqn.empty() || remembered->host_nqn == host_nqn);
  if (serves && IsFresh(*remembered, deadline.clock())) return *remembered;
  if (!serves) return Refresh(host_nqn, deadline);
  // What is remembered serves while the array is silent; finding that out must not cost each poll.
  const TimePoint now = deadline.clock().Now();
  if (silent_at_ && now - *silent_at_ < kNoNewTryFor) return *remembered;
  auto read = Refresh(host_nqn, deadline.Within(kSilentAfter));
  if (read.ok() || !IsArraySilent(read.error())) return read;
  silent_at_ = now;
  context_->log.Debug("the array does not answer; going on with what is remembered of it");
  return *remembered;
}

Result<ArrayFacts> FactSource::Refresh(const std::string& host_nqn, const Deadline& deadline) {
  auto& context = *context_;
  TRY(const auto cluster, context.svms.ReadCluster(deadline));
  TRY_STATUS(CheckCluster(cluster));
  context.rest.SetRelease(cluster.release);
  TRY(const auto svm, context.svms.Read(context.config.svm, deadline));
  TRY(const auto subsystem, EnsureSubsystem(deadline));
  if (!host_nqn.empty()) {
    TRY_STATUS(EnsureRegistered(subsystem, host_nqn, cluster.release, deadline));
  }
  TRY(auto lifs, LifAddresses(deadline));
  ArrayFacts facts{.release = cluster.release,
                   .svm_uuid = svm.uuid,
                   .subsystem_uuid = subsystem.uuid,
                   .subsystem_nqn = subsystem.target_nqn,
                   .host_nqn = host_nqn,
                   .lif_addresses = std::move(lifs)};
  if (!context.config.is_svm_scoped) {
    TRY(const auto aggregate, context.svms.ReadAggregate(context.config.aggregate, deadline));
    facts.is_aggregate_encrypted = aggregate.is_encrypted;
  }
  facts.read_at_s = WallSeconds(deadline.clock());
  facts_ = facts;
  context.memory.Store(facts);
  return facts;
}

// Every node may do this at the same time: "already exists" means that another one was first.
Result<ontap::NvmeSubsystem> FactSource::EnsureSubsystem(const Deadline& deadline) {
  auto& context = *context_;
  const std::string& name = context.config.subsystem;
  TRY(auto found, context.subsystems.Find(name, deadline));
  if (found) return std::move(*found);
  auto created = context.subsystems.Create(
      name, "made by pve-storage-ontapnvme for storage " + context.config.storage_id, deadline);
  if (created.ok()) {
    context.log.Info("made NVMe subsystem '" + name + "' on SVM '" + context.config.svm + "'");
    return created;
  }
  if (!MayHaveHappened(created.error())) return created;
  TRY(auto again, context.subsystems.Find(name, deadline));
  if (!again) return created;
  return std::move(*again);
}

Status FactSource::EnsureRegistered(const ontap::NvmeSubsystem& subsystem,
                                    const std::string& host_nqn, const ontap::Release& release,
                                    const Deadline& deadline) {
  auto& context = *context_;
  const auto& known = subsystem.host_nqns;
  if (std::find(known.begin(), known.end(), host_nqn) != known.end()) return {};
  const Secrets& secrets = context.secrets;
  const auto refuse = [&](const char* what, const ontap::Release& since) {
    return Error(ErrorCode::kUnsupported, std::string(what) + " needs a later ONTAP")
        .With("release", release.Text())
        .Try("upgrade to ONTAP " + since.Text() + " or later, or remove the secret");
  };
  const bool wants_chap =
      !secrets.dhchap_host_secret.empty() || !secrets.dhchap_controller_secret.empty();
  if (wants_chap && release < ontap::kDhChap) {
    return refuse("in-band authentication (DH-HMAC-CHAP)", ontap::kDhChap);
  }
  if (!secrets.tls_psk.empty() && release < ontap::kTlsPsk) {
    return refuse("TLS for NVMe/TCP", ontap::kTlsPsk);
  }
  TRY_STATUS(
      context.subsystems.AddHost(subsystem.uuid, host_nqn,
                                 {.dhchap_host_secret = secrets.dhchap_host_secret,
                                  .dhchap_controller_secret = secrets.dhchap_controller_secret,
                                  .tls_psk = secrets.tls_psk},
                                 deadline));
  context.log.Info("registered host NQN '" + host_nqn + "' with subsystem '" + subsystem.name +
                   "'");
  return {};
}

Status FactSource::RegisterAnew(const ArrayFacts& facts, const Deadline& deadline) {
  auto& context = *context_;
  TRY_STATUS(context.subsystems.RemoveHost(facts.subsystem_uuid, facts.host_nqn, deadline));
  // Whatever becomes of the rest, the next activation adds a host that is missing.
  Forget();
  const auto fresh = Refresh(facts.host_nqn, deadline);
  return fresh.ok() ? Status() : Status(fresh.error());
}

Result<std::vector<std::string>> FactSource::LifAddresses(const Deadline& deadline) {
  const StorageConfig& config = context_->config;
  std::vector<std::string> addresses;
  if (!config.portals.empty()) {
    for (const auto& portal : config.portals) {
      TRY(const auto resolved, ResolveName(portal));
      addresses.insert(addresses.end(), resolved.begin(), resolved.end());
    }
    return addresses;
  }
  TRY(const auto lifs, context_->svms.ListNvmeTcpLifs(config.svm, deadline));
  for (const auto& lif : lifs) {
    if (lif.is_up) addresses.push_back(lif.address);
  }
  if (addresses.empty()) {
    return Error(ErrorCode::kUnavailable,
                 "SVM '" + config.svm + "' has no data LIF for NVMe/TCP that is up")
        .With("lifs", std::to_string(lifs.size()))
        .Try("give the SVM a LIF with the service data-nvme-tcp on each node, or set ontap_portal");
  }
  return addresses;
}

}  // namespace ontapnvme::pve
