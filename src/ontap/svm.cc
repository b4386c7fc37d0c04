// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/svm.h"

#include <algorithm>

#include "ontap/ontap_errors.h"
#include "ontap/query_value.h"
#include "ontap/rest_client.h"
#include "ontap/rest_types.h"

namespace ontapnvme::ontap {
namespace {

// Free space of delegated aggregates, and storage limits of SVMs (NetApp REST reference, svm/svms).
constexpr Release kDelegatedSpace{9, 12, 1};
constexpr Release kStorageLimit{9, 13, 1};
constexpr Release kPolicyScope{9, 11, 1};

std::string Quoted(const std::string& name) {
  return "'" + CleanText(name) + "'";
}

ReadRequest SvmRequest(const std::string& svm_name) {
  ReadRequest request;
  request.path = "/api/svm/svms";
  request.query.Add("name", LiteralFilter(svm_name));
  request.doing = "read SVM " + Quoted(svm_name);
  return request;
}

// The one record that the request is meant to find.
Result<Json> ReadOnly(RestClient& rest, const ReadRequest& request, const char* missing,
                      const char* hint, const Deadline& deadline) {
  TRY(auto records, rest.List(request, deadline));
  if (!records.empty()) return std::move(records.front());
  return Error(ErrorCode::kNotFound, "cannot " + request.doing)
      .Because(missing)
      .With("request", request.Name())
      .Try(hint);
}

Result<Json> ReadSvm(RestClient& rest, const ReadRequest& request, const Deadline& deadline) {
  return ReadOnly(rest, request, "the array has no such SVM, or the account may not see it",
                  "look at the setting 'vserver' and at the account", deadline);
}

// Policies belong to an SVM, or to the cluster and then to all its SVMs.
bool IsForSvm(FieldReader& fields, const std::string& svm_name) {
  const std::string owner = fields.OptionalText("/svm/name");
  return owner.empty() || owner == svm_name || fields.OptionalText("/scope") == "cluster";
}

}  // namespace

Result<ClusterInfo> Svms::ReadCluster(const Deadline& deadline) {
  ReadRequest request;
  request.path = "/api/cluster";
  // An SVM account is told the two flags only when they are named, and older releases do not know
  // them (seen in NetApp's CSI driver).
  request.query.Add("fields", "name,version,san_optimized,disaggregated")
      .Add("ignore_unknown_fields", "true");
  request.doing = "read the release of the array";
  TRY(const Json record, rest_->Read(request, deadline));
  const std::string name = request.Name();
  FieldReader fields(record, name);
  ClusterInfo cluster;
  cluster.name = fields.OptionalText("/name");
  const auto generation = fields.RequireUint("/version/generation");
  const auto major = fields.RequireUint("/version/major");
  const auto minor = fields.RequireUint("/version/minor");
  cluster.is_disaggregated = fields.OptionalBool("/disaggregated").value_or(false);
  cluster.is_san_optimized = fields.OptionalBool("/san_optimized").value_or(false);
  TRY_STATUS(fields.status());
  constexpr std::uint64_t kPartMax = 10000;
  if (generation > kPartMax || major > kPartMax || minor > kPartMax) {
    return Error(ErrorCode::kInternal, "cannot " + request.doing)
        .Because("the version is no release of ONTAP")
        .With("request", name);
  }
  cluster.release = {static_cast<unsigned>(generation), static_cast<unsigned>(major),
                     static_cast<unsigned>(minor)};
  return cluster;
}

Result<SvmInfo> Svms::Read(const std::string& svm_name, const Deadline& deadline) {
  ReadRequest request = SvmRequest(svm_name);
  request.query.Add("fields", "name,uuid,state,nvme.allowed,aggregates.name");
  TRY(const Json record, ReadSvm(*rest_, request, deadline));
  const std::string name = request.Name();
  FieldReader fields(record, name);
  SvmInfo svm;
  svm.uuid = fields.RequireUuid("/uuid");
  svm.name = fields.RequireText("/name");
  svm.state = fields.OptionalText("/state");
  svm.is_nvme_allowed = fields.OptionalBool("/nvme/allowed").value_or(true);
  fields.ForEach("/aggregates", [&](FieldReader& aggregate) {
    svm.aggregate_names.push_back(aggregate.RequireText("/name"));
  });
  TRY_STATUS(fields.status());
  return svm;
}

Result<bool> Svms::IsNvmeServiceEnabled(const std::string& svm_name, const Deadline& deadline) {
  ReadRequest request;
  request.path = "/api/protocols/nvme/services";
  request.query.Add("svm.name", LiteralFilter(svm_name)).Add("fields", "enabled");
  request.doing = "read the NVMe service of SVM " + Quoted(svm_name);
  TRY(const auto records, rest_->List(request, deadline));
  if (records.empty()) return false;
  const std::string name = request.Name();
  FieldReader fields(records.front(), name);
  const bool is_enabled = fields.OptionalBool("/enabled").value_or(false);
  TRY_STATUS(fields.status());
  return is_enabled;
}

Result<std::vector<DataLif>> Svms::ListNvmeTcpLifs(const std::string& svm_name,
                                                   const Deadline& deadline) {
  ReadRequest request;
  request.path = "/api/network/ip/interfaces";
  request.query.Add("svm.name", LiteralFilter(svm_name))
      .Add("services", "data_nvme_tcp")
      .Add("fields", "name,ip.address,enabled,state,location.home_node.name");
  request.doing = "list the data LIFs of SVM " + Quoted(svm_name);
  TRY(const auto records, rest_->List(request, deadline));
  std::vector<DataLif> lifs;
  for (const Json& record : records) {
    FieldReader fields(record, std::string_view("GET /api/network/ip/interfaces"));
    DataLif lif;
    lif.name = fields.OptionalText("/name");
    lif.address = fields.RequireText("/ip/address");
    lif.home_node = fields.OptionalText("/location/home_node/name");
    const bool is_enabled = fields.OptionalBool("/enabled").value_or(true);
    lif.is_up = is_enabled && fields.OptionalText("/state") == "up";
    TRY_STATUS(fields.status());
    lifs.push_back(std::move(lif));
  }
  return lifs;
}

Result<AggregateInfo> Svms::ReadAggregate(const std::string& name, const Deadline& deadline) {
  ReadRequest request;
  request.path = "/api/storage/aggregates";
  request.query.Add("name", LiteralFilter(name))
      .Add("fields",
           "name,space.block_storage.size,space.block_storage.used,"
           "space.block_storage.available,data_encryption.software_encryption_enabled");
  request.doing = "read aggregate " + Quoted(name);
  TRY(const Json record,
      ReadOnly(*rest_, request, "the array has no such aggregate, or the account may not see it",
               "look at the setting 'aggregate'; for an account of an SVM set svm_scoped 1",
               deadline));
  const std::string request_name = request.Name();
  FieldReader fields(record, request_name);
  AggregateInfo aggregate;
  aggregate.name = fields.RequireText("/name");
  aggregate.size = fields.RequireBytes("/space/block_storage/size");
  aggregate.used = fields.RequireBytes("/space/block_storage/used");
  aggregate.available = fields.RequireBytes("/space/block_storage/available");
  aggregate.is_encrypted =
      fields.OptionalBool("/data_encryption/software_encryption_enabled").value_or(false);
  TRY_STATUS(fields.status());
  return aggregate;
}

Result<std::optional<ByteCount>> Svms::ReadDelegatedAvailable(const std::string& svm_name,
                                                              const std::string& aggregate,
                                                              const Deadline& deadline) {
  if (rest_->IsOlderThan(kDelegatedSpace)) return std::optional<ByteCount>();
  ReadRequest request = SvmRequest(svm_name);
  AddFields(request.query, *rest_, "aggregates.name",
            {{kDelegatedSpace, "aggregates.available_size"}});
  TRY(const Json record, ReadSvm(*rest_, request, deadline));
  const std::string name = request.Name();
  FieldReader fields(record, name);
  std::optional<ByteCount> available;
  fields.ForEach("/aggregates", [&](FieldReader& delegated) {
    if (delegated.RequireText("/name") != aggregate) return;
    if (const auto bytes = delegated.OptionalUint("/available_size")) available = ByteCount{*bytes};
  });
  TRY_STATUS(fields.status());
  return available;
}

Result<SvmCapacity> Svms::ReadCapacity(const std::string& svm_name, const Deadline& deadline) {
  if (rest_->IsOlderThan(kStorageLimit)) return SvmCapacity();
  ReadRequest request = SvmRequest(svm_name);
  // REST names these fields since 9.14.1; the limit itself exists one release longer.
  request.query.Add("fields", "storage.limit,storage.allocated")
      .Add("ignore_unknown_fields", "true");
  TRY(const Json record, ReadSvm(*rest_, request, deadline));
  const std::string name = request.Name();
  FieldReader fields(record, name);
  SvmCapacity capacity;
  const auto limit = fields.OptionalUint("/storage/limit");
  const auto allocated = fields.OptionalUint("/storage/allocated");
  TRY_STATUS(fields.status());
  // No limit is told as 0 or not at all; `allocated` exists only beside one.
  if (limit && *limit > 0) capacity.limit = ByteCount{*limit};
  if (allocated) capacity.allocated = ByteCount{*allocated};
  return capacity;
}

Result<bool> Svms::QosPolicyExists(const std::string& svm_name, const std::string& policy,
                                   bool is_adaptive, const Deadline& deadline) {
  ReadRequest request;
  request.path = "/api/storage/qos/policies";
  request.query.Add("name", LiteralFilter(policy));
  AddFields(request.query, *rest_, "name,svm.name,fixed,adaptive", {{kPolicyScope, "scope"}});
  request.doing = "look up QoS policy " + Quoted(policy);
  TRY(const auto records, rest_->List(request, deadline));
  for (const Json& record : records) {
    FieldReader fields(record, std::string_view("GET /api/storage/qos/policies"));
    const bool is_usable = IsForSvm(fields, svm_name);
    TRY_STATUS(fields.status());
    if (is_usable && fields.Has(is_adaptive ? "/adaptive" : "/fixed")) return true;
  }
  return false;
}

Result<bool> Svms::SnapshotPolicyExists(const std::string& svm_name, const std::string& policy,
                                        const Deadline& deadline) {
  ReadRequest request;
  request.path = "/api/storage/snapshot-policies";
  request.query.Add("name", LiteralFilter(policy)).Add("fields", "name,svm.name,scope");
  request.doing = "look up snapshot policy " + Quoted(policy);
  TRY(const auto records, rest_->List(request, deadline));
  for (const Json& record : records) {
    FieldReader fields(record, std::string_view("GET /api/storage/snapshot-policies"));
    const bool is_usable = IsForSvm(fields, svm_name);
    TRY_STATUS(fields.status());
    if (is_usable) return true;
  }
  return false;
}

}  // namespace ontapnvme::ontap
