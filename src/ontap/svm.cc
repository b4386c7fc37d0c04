// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/svm.h"

#include <algorithm>

#include "ontap/query_value.h"
#include "ontap/rest_calls.h"

namespace ontapnvme::ontap {
namespace {

// Free space of delegated aggregates, and storage limits of SVMs (NetApp REST reference, svm/svms).
constexpr Release kDelegatedSpace{9, 12, 1};
constexpr Release kStorageLimit{9, 13, 1};
constexpr Release kPolicyScope{9, 11, 1};
constexpr Release kMultiAdmin{9, 11, 1};
// The flags of ASA r2 and AFX, of which there are none of an earlier release.
constexpr Release kPersonality{9, 16, 1};

constexpr const char* kCluster = "/api/cluster";
constexpr const char* kSvms = "/api/svm/svms";
constexpr const char* kAggregates = "/api/storage/aggregates";
constexpr const char* kMultiAdminPath = "/api/security/multi-admin-verify";
constexpr const char* kSvmFields = "name,uuid,state,nvme.allowed,aggregates.name";
constexpr const char* kAggregateFields =
    "name,uuid,space.block_storage.size,space.block_storage.used,"
    "space.block_storage.available,data_encryption.software_encryption_enabled";

ReadRequest SvmRequest(const std::string& svm_name) {
  ReadRequest request{.path = kSvms, .doing = "read SVM " + Quoted(svm_name)};
  request.query.Add("name", LiteralFilter(svm_name));
  return request;
}

// The one record that the request is meant to find.
template <typename Parse>
Result<ParsedBy<Parse>> RequireOne(RestClient& rest, const ReadRequest& request, Parse parse,
                                   const char* missing, const char* hint,
                                   const Deadline& deadline) {
  const auto any = [](const auto&) { return true; };
  TRY(auto found, FindOne(rest, request, parse, any, deadline));
  if (found) return std::move(*found);
  return Error(ErrorCode::kNotFound, "cannot " + request.doing)
      .Because(missing)
      .With("request", request.Name())
      .Try(hint);
}

template <typename Parse>
Result<ParsedBy<Parse>> ReadSvm(RestClient& rest, const ReadRequest& request, Parse parse,
                                const Deadline& deadline) {
  return RequireOne(rest, request, parse,
                    "the array has no such SVM, or the account may not see it",
                    "look at the setting 'vserver' and at the account", deadline);
}

SvmInfo ParseSvm(FieldReader& fields) {
  SvmInfo svm;
  svm.uuid = fields.RequireUuid("/uuid");
  svm.name = fields.RequireText("/name");
  svm.state = fields.OptionalText("/state");
  svm.is_nvme_allowed = fields.OptionalBool("/nvme/allowed").value_or(true);
  fields.ForEach("/aggregates", [&](FieldReader& aggregate) {
    svm.aggregate_names.push_back(aggregate.RequireText("/name"));
  });
  return svm;
}

DataLif ParseLif(FieldReader& fields) {
  DataLif lif;
  lif.name = fields.OptionalText("/name");
  lif.address = fields.RequireText("/ip/address");
  lif.home_node = fields.OptionalText("/location/home_node/name");
  const bool is_enabled = fields.OptionalBool("/enabled").value_or(true);
  lif.is_up = is_enabled && fields.OptionalText("/state") == "up";
  return lif;
}

AggregateInfo ParseAggregate(FieldReader& fields) {
  AggregateInfo aggregate;
  aggregate.uuid = fields.RequireUuid("/uuid");
  aggregate.name = fields.RequireText("/name");
  aggregate.size = fields.RequireBytes("/space/block_storage/size");
  aggregate.used = fields.RequireBytes("/space/block_storage/used");
  aggregate.available = fields.RequireBytes("/space/block_storage/available");
  aggregate.is_encrypted =
      fields.OptionalBool("/data_encryption/software_encryption_enabled").value_or(false);
  return aggregate;
}

SvmCapacity ParseCapacity(FieldReader& fields) {
  SvmCapacity capacity;
  const auto limit = fields.OptionalUint("/storage/limit");
  const auto allocated = fields.OptionalUint("/storage/allocated");
  // No limit is shown as 0 or not at all; `allocated` exists only beside one.
  if (limit && *limit > 0) capacity.limit = ByteCount{*limit};
  if (allocated) capacity.allocated = ByteCount{*allocated};
  return capacity;
}

// Policies belong to an SVM, or to the cluster and then to all its SVMs.
bool IsForSvm(FieldReader& fields, const std::string& svm_name) {
  const std::string owner = fields.OptionalText("/svm/name");
  return owner.empty() || owner == svm_name || fields.OptionalText("/scope") == "cluster";
}

// What the path, which ends in a UUID, leads to.
template <typename Parse>
Result<std::optional<ParsedBy<Parse>>> FindAtPath(RestClient& rest, const ReadRequest& request,
                                                  Parse parse, const Deadline& deadline) {
  auto found = ReadOne(rest, request, parse, deadline);
  if (found.ok()) return std::make_optional(std::move(*found));
  if (found.error().origin().refusal == Refusal::kGone) return std::optional<ParsedBy<Parse>>();
  return std::move(found).error();
}

// Whether `is_wanted`, which takes a FieldReader&, holds for a record of the collection.
template <typename IsWanted>
Result<bool> AnyRecord(RestClient& rest, const ReadRequest& request, IsWanted is_wanted,
                       const Deadline& deadline) {
  TRY(const auto all, ReadAll(rest, request, is_wanted, deadline));
  return std::find(all.begin(), all.end(), true) != all.end();
}

// The two flags come only when they are named.
Status ReadPersonality(RestClient& rest, ClusterInfo& cluster, const Deadline& deadline) {
  ReadRequest request{.path = kCluster, .doing = "read what kind of system the array is"};
  request.query.Add("fields", "san_optimized,disaggregated").Add("ignore_unknown_fields", "true");
  const auto parse = [&](FieldReader& fields) {
    cluster.is_disaggregated = fields.OptionalBool("/disaggregated").value_or(false);
    cluster.is_san_optimized = fields.OptionalBool("/san_optimized").value_or(false);
    return true;
  };
  const auto read = ReadOne(rest, request, parse, deadline);
  return read.ok() ? Status() : Status(read.error());
}

}  // namespace

// Without parameters, since what an array knows of them depends on the release that is asked for
// here. SVM accounts get the release so too (seen in NetApp's CSI driver).
Result<ClusterInfo> Svms::ReadCluster(const Deadline& deadline) {
  const ReadRequest request{.path = kCluster, .doing = "read the release of the array"};
  bool is_release = true;
  const auto parse = [&](FieldReader& fields) {
    const auto part = [&](const char* path) {
      constexpr std::uint64_t kPartMax = 10000;
      const std::uint64_t number = fields.RequireUint(path);
      is_release = is_release && number <= kPartMax;
      return static_cast<unsigned>(number);
    };
    ClusterInfo cluster;
    cluster.name = fields.OptionalText("/name");
    cluster.release = {part("/version/generation"), part("/version/major"), part("/version/minor")};
    return cluster;
  };
  TRY(auto cluster, ReadOne(*rest_, request, parse, deadline));
  if (!is_release) {
    return Error(ErrorCode::kInternal, "cannot " + request.doing)
        .Because("the version is not a release of ONTAP")
        .With("request", request.Name());
  }
  if (cluster.release >= kPersonality) TRY_STATUS(ReadPersonality(*rest_, cluster, deadline));
  return cluster;
}

std::optional<std::chrono::seconds> Svms::ClockAhead() const {
  return rest_->clock_ahead();
}

Result<MultiAdminVerification> Svms::ReadMultiAdminVerification(const Deadline& deadline) {
  MultiAdminVerification found;
  if (rest_->IsOlderThan(kMultiAdmin)) return found;
  ReadRequest request{.path = kMultiAdminPath,
                      .doing = "read whether several administrators verify"};
  request.query.Add("fields", "enabled");
  TRY(found.is_on,
      ReadOne(
          *rest_, request,
          [](FieldReader& fields) { return fields.OptionalBool("/enabled").value_or(false); },
          deadline));
  if (!found.is_on) return found;
  ReadRequest rules{.path = std::string(kMultiAdminPath) + "/rules",
                    .doing = "list what several administrators verify"};
  rules.query.Add("fields", "operation");
  const auto parse = [](FieldReader& fields) { return fields.RequireText("/operation"); };
  TRY(found.operations, ReadAll(*rest_, rules, parse, deadline));
  return found;
}

Result<SvmInfo> Svms::Read(const std::string& svm_name, const Deadline& deadline) {
  ReadRequest request = SvmRequest(svm_name);
  request.query.Add("fields", kSvmFields);
  return ReadSvm(*rest_, request, ParseSvm, deadline);
}

Result<std::optional<SvmInfo>> Svms::FindByUuid(const Uuid& uuid, const Deadline& deadline) {
  ReadRequest request{.path = std::string(kSvms) + "/" + uuid.Text(),
                      .doing = "look up the SVM with UUID " + uuid.Text()};
  request.query.Add("fields", kSvmFields);
  return FindAtPath(*rest_, request, ParseSvm, deadline);
}

Result<bool> Svms::IsNvmeServiceEnabled(const std::string& svm_name, const Deadline& deadline) {
  ReadRequest request{.path = "/api/protocols/nvme/services",
                      .doing = "read the NVMe service of SVM " + Quoted(svm_name)};
  request.query.Add("svm.name", LiteralFilter(svm_name)).Add("fields", "enabled");
  const auto is_enabled = [](FieldReader& fields) {
    return fields.OptionalBool("/enabled").value_or(false);
  };
  return AnyRecord(*rest_, request, is_enabled, deadline);
}

Result<std::vector<DataLif>> Svms::ListNvmeTcpLifs(const std::string& svm_name,
                                                   const Deadline& deadline) {
  ReadRequest request{.path = "/api/network/ip/interfaces",
                      .doing = "list the data LIFs of SVM " + Quoted(svm_name)};
  request.query.Add("svm.name", LiteralFilter(svm_name))
      .Add("services", "data_nvme_tcp")
      .Add("fields", "name,ip.address,enabled,state,location.home_node.name");
  return ReadAll(*rest_, request, ParseLif, deadline);
}

Result<AggregateInfo> Svms::ReadAggregate(const std::string& name, const Deadline& deadline) {
  ReadRequest request{.path = kAggregates, .doing = "read aggregate " + Quoted(name)};
  request.query.Add("name", LiteralFilter(name)).Add("fields", kAggregateFields);
  return RequireOne(*rest_, request, ParseAggregate,
                    "the array has no such aggregate, or the account may not see it",
                    "look at the setting 'aggregate'; for an account of an SVM set svm_scoped 1",
                    deadline);
}

Result<std::optional<AggregateInfo>> Svms::FindAggregateByUuid(const Uuid& uuid,
                                                               const Deadline& deadline) {
  ReadRequest request{.path = std::string(kAggregates) + "/" + uuid.Text(),
                      .doing = "look up the aggregate with UUID " + uuid.Text()};
  request.query.Add("fields", kAggregateFields);
  return FindAtPath(*rest_, request, ParseAggregate, deadline);
}

Result<std::optional<ByteCount>> Svms::ReadDelegatedAvailable(const std::string& svm_name,
                                                              const std::string& aggregate,
                                                              const Deadline& deadline) {
  if (!rest_->IsKnownAtLeast(kDelegatedSpace)) return std::optional<ByteCount>();
  ReadRequest request = SvmRequest(svm_name);
  AddFields(request.query, *rest_, "aggregates.name",
            {{kDelegatedSpace, "aggregates.available_size"}});
  const auto parse = [&](FieldReader& fields) {
    std::optional<ByteCount> available;
    fields.ForEach("/aggregates", [&](FieldReader& delegated) {
      if (delegated.RequireText("/name") != aggregate) return;
      const auto bytes = delegated.OptionalUint("/available_size");
      if (bytes) available = ByteCount{*bytes};
    });
    return available;
  };
  return ReadSvm(*rest_, request, parse, deadline);
}

Result<SvmCapacity> Svms::ReadCapacity(const std::string& svm_name, const Deadline& deadline) {
  if (!rest_->IsKnownAtLeast(kStorageLimit)) return SvmCapacity();
  ReadRequest request = SvmRequest(svm_name);
  // REST names these fields since 9.14.1; the limit itself exists one release longer.
  request.query.Add("fields", "storage.limit,storage.allocated")
      .Add("ignore_unknown_fields", "true");
  return ReadSvm(*rest_, request, ParseCapacity, deadline);
}

Result<bool> Svms::QosPolicyExists(const std::string& svm_name, const std::string& policy,
                                   bool is_adaptive, const Deadline& deadline) {
  ReadRequest request{.path = "/api/storage/qos/policies",
                      .doing = "look up QoS policy " + Quoted(policy)};
  request.query.Add("name", LiteralFilter(policy));
  AddFields(request.query, *rest_, "name,svm.name,fixed,adaptive", {{kPolicyScope, "scope"}});
  const auto is_usable = [&](FieldReader& fields) {
    return IsForSvm(fields, svm_name) && fields.Has(is_adaptive ? "/adaptive" : "/fixed");
  };
  return AnyRecord(*rest_, request, is_usable, deadline);
}

Result<bool> Svms::SnapshotPolicyExists(const std::string& svm_name, const std::string& policy,
                                        const Deadline& deadline) {
  ReadRequest request{.path = "/api/storage/snapshot-policies",
                      .doing = "look up snapshot policy " + Quoted(policy)};
  request.query.Add("name", LiteralFilter(policy)).Add("fields", "name,svm.name,scope");
  const auto is_usable = [&](FieldReader& fields) { return IsForSvm(fields, svm_name); };
  return AnyRecord(*rest_, request, is_usable, deadline);
}

}  // namespace ontapnvme::ontap
