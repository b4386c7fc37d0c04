// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/facts/array_facts.h"

#include <algorithm>
#include <charconv>

#include "base/wall_time.h"
#include "catalogue/array.h"
#include "catalogue/undo_steps.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// Long enough that a poll asks for nothing but the capacity, short enough that a new LIF or a new
// release is noticed without a restart.
constexpr std::chrono::seconds kFreshFor{3600};
constexpr Duration kSilentAfter{3000};
constexpr std::chrono::hours kWarnEvery{24};
// Between attempts to refresh facts that are stale, twice as long each time.
constexpr Duration kPauseFirst = std::chrono::minutes(1);
constexpr Duration kPauseMax = std::chrono::minutes(16);
// In place of a release that the account may not read.
constexpr const char* kUnknownRelease = "unknown";

bool IsFresh(const ArrayFacts& facts, Clock& clock) {
  const std::int64_t age_s = WallSeconds(clock) - facts.read_at_s;
  return age_s >= 0 && age_s < kFreshFor.count();
}

std::vector<std::string> Words(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// "vserver" or "aggregate" of the settings names what is called `now`.
std::string HowToFollow(const StorageConfig& config, const char* setting, const std::string& now) {
  return "run 'pvesm set " + config.storage_id + " --" + setting + " " + now + "'";
}

std::string Value(const node::FactsFile::Facts& fields, const char* name) {
  const auto field = fields.find(name);
  return field == fields.end() ? "" : field->second;
}

}  // namespace

std::optional<ArrayFacts> ArrayFacts::Parse(const node::FactsFile::Facts& fields) {
  const std::string release_text = Value(fields, "release");
  const auto release = ontap::Release::Parse(release_text);
  const auto svm = Uuid::Parse(Value(fields, "svm_uuid"));
  const auto subsystem = Uuid::Parse(Value(fields, "subsystem_uuid"));
  std::string nqn = Value(fields, "subsystem_nqn");
  const bool is_release_told = release || release_text == kUnknownRelease;
  if (!is_release_told || !svm || !subsystem || nqn.empty()) return std::nullopt;
  ArrayFacts facts{.release = release,
                   .svm_uuid = *svm,
                   .subsystem_uuid = *subsystem,
                   .subsystem_nqn = std::move(nqn),
                   .host_nqn = Value(fields, "host_nqn"),
                   .lif_addresses = Words(Value(fields, "lifs")),
                   .aggregate_uuid = Uuid::Parse(Value(fields, "aggregate_uuid")),
                   .is_aggregate_encrypted = Value(fields, "aggregate_encrypted") == "1",
                   .refuses_overwrite = Value(fields, "refuses_overwrite") == "1"};
  const std::string read_at = Value(fields, "read_at");
  std::from_chars(read_at.data(), read_at.data() + read_at.size(), facts.read_at_s);
  return facts;
}

node::FactsFile::Facts ArrayFacts::Fields() const {
  std::string lifs;
  for (const auto& address : lif_addresses) lifs += (lifs.empty() ? "" : " ") + address;
  node::FactsFile::Facts fields = {{"release", release ? release->Text() : kUnknownRelease},
                                   {"svm_uuid", svm_uuid.Text()},
                                   {"subsystem_uuid", subsystem_uuid.Text()},
                                   {"subsystem_nqn", subsystem_nqn},
                                   {"host_nqn", host_nqn},
                                   {"lifs", lifs},
                                   {"aggregate_encrypted", is_aggregate_encrypted ? "1" : "0"},
                                   {"read_at", std::to_string(read_at_s)}};
  if (refuses_overwrite) fields["refuses_overwrite"] = "1";
  if (aggregate_uuid) fields["aggregate_uuid"] = aggregate_uuid->Text();
  return fields;
}

FabricTarget ArrayFacts::Target() const {
  return {.subsystem_nqn = subsystem_nqn, .addresses = lif_addresses, .host_nqn = host_nqn};
}

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

Error ReplacedSvm(const StorageConfig& config, const ontap::SvmInfo& now) {
  return Error(ErrorCode::kConflict, "SVM '" + config.svm + "' is not the one it was")
      .Because("an SVM of that name with another UUID answers")
      .With("found", now.uuid.Text())
      .With("svm_state", "replaced")
      .Try(
          "look at 'vserver show' on the array; if the disks went with the former one, remove the "
          "storage and add it again");
}

Status CheckRunning(const ontap::SvmInfo& svm) {
  if (svm.IsRunning()) return {};
  return Error(ErrorCode::kUnavailable, "SVM '" + svm.name + "' is not running")
      .Because("its state is '" + CleanText(svm.state) + "'")
      .Try("start it ('vserver start')");
}

const std::optional<ArrayFacts>& FactSource::Known() {
  if (!facts_) {
    if (const auto fields = node_->facts.Load()) facts_ = ArrayFacts::Parse(*fields);
  }
  return facts_;
}

std::optional<ArrayFacts> FactSource::Remembered() {
  Known();
  if (facts_ && facts_->release) rest_->SetRelease(*facts_->release);
  return facts_;
}

std::optional<ArrayFacts> FactSource::RememberedUnderAnySettings() const {
  const auto fields = node_->facts.LoadOfAnySettings();
  return fields ? ArrayFacts::Parse(*fields) : std::nullopt;
}

Result<FactSource::SvmNow> FactSource::ReadSvm(const Deadline& deadline) {
  const auto& known = Known();
  auto named = svms_.Read(config_->svm, deadline);
  const bool is_other = named.ok() && known && named->uuid != known->svm_uuid;
  const bool is_missing = FailedWith(named, ErrorCode::kNotFound) && known;
  if (is_other || is_missing) {
    TRY(auto now, svms_.FindByUuid(known->svm_uuid, deadline));
    // It was only not listed; or the array contradicts itself.
    if (now && now->name == config_->svm && is_missing) return SvmNow{.svm = std::move(*now)};
    if (now && now->name == config_->svm) {
      return Error(ErrorCode::kUnavailable, "cannot tell which SVM '" + config_->svm + "' is")
          .Because("the array names two of that name")
          .Try("try again when the array is less busy");
    }
    if (now) {
      return Error(ErrorCode::kConflict,
                   "SVM '" + config_->svm + "' is called '" + CleanText(now->name) + "' now")
          .Because(is_other ? "the array has another SVM of the name in the settings"
                            : "it was renamed on the array")
          .With("svm_uuid", known->svm_uuid.Text())
          .Try(HowToFollow(*config_, "vserver", CleanText(now->name)) +
               ", or give the SVM its name back on the array");
    }
  }
  if (!named.ok()) return std::move(named).error();
  return SvmNow{.svm = std::move(*named), .is_replaced = is_other};
}

Result<ontap::AggregateInfo> FactSource::ReadAggregate(const Deadline& deadline) {
  const auto& known = Known();
  auto named = svms_.ReadAggregate(config_->aggregate, deadline);
  if (!FailedWith(named, ErrorCode::kNotFound) || !known || !known->aggregate_uuid) return named;
  TRY(auto now, svms_.FindAggregateByUuid(*known->aggregate_uuid, deadline));
  if (!now) return named;
  if (now->name == config_->aggregate) return std::move(*now);
  if (node_->turns.Take("aggregate", kWarnEvery, deadline.clock())) {
    const std::string name = CleanText(now->name);
    log_->Warning("aggregate '" + config_->aggregate + "' is called '" + name +
                  "' now: no disk can be made until you " +
                  HowToFollow(*config_, "aggregate", name));
  }
  return std::move(*now);
}

void FactSource::TellOfMissingAggregate(const Error& missing, Clock& clock) {
  if (!node_->turns.Take("aggregate", kWarnEvery, clock)) return;
  log_->Warning("no disk can be made, and the capacity shown is the SVM's: " + missing.Line());
}

void FactSource::Forget() {
  facts_.reset();
  node_->facts.Forget();
}

Result<ArrayFacts> FactSource::ReadFor(const std::string& host_nqn, const Deadline& deadline) {
  const auto remembered = Remembered();
  const bool serves = remembered && (host_nqn.empty() || remembered->host_nqn == host_nqn);
  if (serves && IsFresh(*remembered, deadline.clock())) return *remembered;
  if (!serves) return Refresh(host_nqn, deadline);
  // What is remembered serves meanwhile; finding that out must not cost each poll.
  if (next_try_at_ && deadline.clock().Now() < *next_try_at_) return *remembered;
  auto read = Refresh(remembered->host_nqn, deadline.Within(kSilentAfter));
  if (read.ok() || read.error().code() == ErrorCode::kInterrupted) return read;
  return GoOnWith(*remembered, read.error(), deadline.clock());
}

ArrayFacts FactSource::GoOnWith(const ArrayFacts& remembered, const Error& failure, Clock& clock) {
  pause_ = std::clamp(pause_ * 2, kPauseFirst, kPauseMax);
  next_try_at_ = clock.Now() + pause_;
  if (IsArraySilent(failure)) {
    log_->Debug("the array does not answer; going on with what is remembered of it");
  } else if (node_->turns.Take("facts", kWarnEvery, clock)) {
    log_->Warning("going on with what is remembered of the array, which cannot be read anew: " +
                  failure.Line());
  }
  return remembered;
}

Status FactSource::LearnRelease(const Deadline& deadline) {
  TRY(const auto cluster, svms_.ReadCluster(deadline));
  TRY_STATUS(CheckCluster(cluster));
  rest_->SetRelease(cluster.release);
  return {};
}

Result<ArrayFacts> FactSource::Refresh(const std::string& host_nqn, const Deadline& deadline) {
  const auto learnt = LearnRelease(deadline);
  if (FailedWith(learnt, ErrorCode::kPermissionDenied)) {
    rights_.Tell("release", kReleaseUnknown, learnt.error(), deadline.clock());
  } else if (!learnt.ok()) {
    return learnt.error();
  }
  TRY(const auto svm_now, ReadSvm(deadline));
  const auto& svm = svm_now.svm;
  if (svm_now.is_replaced) {
    // While the cluster remembers disks, they are in the one that it was.
    if (!node_->disks.All().empty()) return ReplacedSvm(*config_, svm);
    log_->Warning("SVM '" + config_->svm +
                  "' is not the one it was, which the array does not have "
                  "any more: what the storage shows from now on is what the new one holds");
  }
  TRY(const auto subsystem, EnsureSubsystem(deadline));
  if (!host_nqn.empty()) {
    TRY_STATUS(EnsureRegistered(subsystem, host_nqn, deadline));
  }
  TRY(auto lifs, LifAddresses(deadline));
  // A right that was taken away does not make the array another one: what was known still holds.
  ArrayFacts facts{.release = rest_->release(),
                   .svm_uuid = svm.uuid,
                   .subsystem_uuid = subsystem.uuid,
                   .subsystem_nqn = subsystem.target_nqn,
                   .host_nqn = host_nqn,
                   .lif_addresses = std::move(lifs)};
  if (!config_->is_svm_scoped) {
    const auto aggregate = ReadAggregate(deadline);
    // It is needed where disks are made, and nowhere else: Backend::Capacity tells of a right that is
    // missing, and of an aggregate that is, at each poll.
    const bool is_needless = FailedWith(aggregate, ErrorCode::kPermissionDenied) ||
                             FailedWith(aggregate, ErrorCode::kNotFound);
    if (!aggregate.ok() && !is_needless) return aggregate.error();
    if (aggregate.ok()) {
      facts.aggregate_uuid = aggregate->uuid;
      facts.is_aggregate_encrypted = aggregate->is_encrypted;
    } else if (const auto& known = Known()) {
      // What cannot be read now was read before: the aggregate is the same.
      facts.aggregate_uuid = known->aggregate_uuid;
      facts.is_aggregate_encrypted = known->is_aggregate_encrypted;
    }
  }
  next_try_at_.reset();
  pause_ = Duration::zero();
  facts.read_at_s = WallSeconds(deadline.clock());
  facts_ = facts;
  node_->NoteSubsystem(facts.subsystem_nqn);
  node_->facts.Store(facts.Fields());
  return facts;
}

void FactSource::NoteOverwriteRefused() {
  if (!Known()) return;
  facts_->refuses_overwrite = true;
  node_->facts.Store(facts_->Fields());
}

// Every node may do this at the same time: "already exists" means that another one was first.
Result<ontap::NvmeSubsystem> FactSource::EnsureSubsystem(const Deadline& deadline) {
  const std::string& name = config_->subsystem;
  TRY(auto found, subsystems_.Find(name, deadline));
  if (found) return std::move(*found);
  auto created = subsystems_.Create(
      name, "made by pve-storage-ontapnvme for storage " + config_->storage_id, deadline);
  if (created.ok()) {
    log_->Info("made NVMe subsystem '" + name + "' on SVM '" + config_->svm + "'");
    return created;
  }
  if (!MayHaveHappened(created.error())) return created;
  TRY(auto again, subsystems_.Find(name, deadline));
  if (!again) return created;
  return std::move(*again);
}

Status FactSource::EnsureRegistered(const ontap::NvmeSubsystem& subsystem,
                                    const std::string& host_nqn, const Deadline& deadline) {
  const auto& known = subsystem.host_nqns;
  if (std::find(known.begin(), known.end(), host_nqn) != known.end()) return {};
  const auto refuse = [&](const char* what, const ontap::Release& since) {
    return Error(ErrorCode::kUnsupported, std::string(what) + " needs a later ONTAP")
        .With("release", rest_->release()->Text())
        .Try("upgrade to ONTAP " + since.Text() + " or later, or remove the secret");
  };
  const bool wants_chap =
      !secrets_->dhchap_host_secret.empty() || !secrets_->dhchap_controller_secret.empty();
  if (wants_chap && rest_->IsOlderThan(ontap::kDhChap)) {
    return refuse("in-band authentication (DH-HMAC-CHAP)", ontap::kDhChap);
  }
  if (!secrets_->tls_psk.empty() && rest_->IsOlderThan(ontap::kTlsPsk)) {
    return refuse("TLS for NVMe/TCP", ontap::kTlsPsk);
  }
  TRY_STATUS(subsystems_.AddHost(subsystem.uuid, host_nqn,
                                 {.dhchap_host_secret = secrets_->dhchap_host_secret,
                                  .dhchap_controller_secret = secrets_->dhchap_controller_secret,
                                  .tls_psk = secrets_->tls_psk},
                                 deadline));
  log_->Info("registered host NQN '" + host_nqn + "' with subsystem '" + subsystem.name + "'");
  return {};
}

Status FactSource::RegisterAnew(const std::string& host_nqn, const Deadline& deadline) {
  TRY(const auto facts, Read(deadline));
  TRY_STATUS(subsystems_.RemoveHost(facts.subsystem_uuid, host_nqn, deadline));
  // Whatever becomes of the rest, the next activation adds a host that is missing.
  Forget();
  const auto fresh = Refresh(host_nqn, deadline);
  return fresh.ok() ? Status() : Status(fresh.error());
}

Result<std::vector<HostConnection>> FactSource::Connections(const Deadline& deadline) {
  TRY(const auto facts, Read(deadline));
  TRY(auto found, subsystems_.ListConnections(facts.subsystem_uuid, deadline));
  std::vector<HostConnection> connections;
  for (auto& one : found) {
    connections.push_back({.host_nqn = std::move(one.host_nqn),
                           .host_id = std::move(one.host_id),
                           .address = std::move(one.address)});
  }
  return connections;
}

void FactSource::TellOfNames(const Error& trouble, Clock& clock) {
  const std::string line = "going on with addresses of some time ago: " + trouble.Line();
  if (node_->turns.Take("names", kWarnEvery, clock)) {
    log_->Warning(line);
  } else {
    log_->Debug(line);
  }
}

Result<std::vector<std::string>> FactSource::LifAddresses(const Deadline& deadline) {
  if (!config_->portals.empty()) {
    TRY(auto resolved, node_->names.Resolve(config_->portals, deadline));
    if (resolved.trouble) TellOfNames(*resolved.trouble, deadline.clock());
    return std::move(resolved.addresses);
  }
  std::vector<std::string> addresses;
  TRY(const auto lifs, svms_.ListNvmeTcpLifs(config_->svm, deadline));
  for (const auto& lif : lifs) {
    if (lif.is_up) addresses.push_back(lif.address);
  }
  if (addresses.empty()) {
    return Error(ErrorCode::kUnavailable,
                 "SVM '" + config_->svm + "' has no data LIF for NVMe/TCP that is up")
        .With("lifs", std::to_string(lifs.size()))
        .Try("give the SVM a LIF with the service data-nvme-tcp on each node, or set ontap_portal");
  }
  return addresses;
}

}  // namespace ontapnvme::catalogue::flexvol
