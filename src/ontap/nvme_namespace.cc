// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/nvme_namespace.h"

#include "ontap/disk_listings.h"
#include "ontap/query_value.h"
#include "ontap/rest_calls.h"

namespace ontapnvme::ontap {
namespace {

constexpr unsigned kBlockBytes = 4096;
// Creating and changing a namespace may be a job from this release on, and takes return_timeout;
// before it is always synchronous (NetApp REST reference, namespaces).
constexpr Release kMayBeJob{9, 16, 1};
constexpr Release kConvertsLuns{9, 11, 1};

std::string PathIn(const std::string& volume_name, const std::string& rest) {
  return "/vol/" + volume_name + "/" + rest;
}

std::string NamespacePath(const Uuid& uuid) {
  return std::string(kNamespacesPath) + "/" + uuid.Text();
}

}  // namespace

Result<std::optional<NvmeNamespace>> NvmeNamespaces::FindByVolume(const std::string& volume_name,
                                                                  const Deadline& deadline,
                                                                  const IsWanted& is_wanted) {
  auto request = NamespaceListing(svm_, LiteralFilter(volume_name), NamespaceMaps::kRead);
  request.doing = "look up the namespace of volume " + Quoted(volume_name);
  TRY(auto namespaces, ReadAll(*rest_, request, ParseNamespace, deadline));
  std::erase_if(namespaces, [&](const NvmeNamespace& ns) {
    return ns.volume_name != volume_name || (is_wanted && !is_wanted(ns));
  });
  if (namespaces.empty()) return std::optional<NvmeNamespace>();
  if (namespaces.size() > 1) {
    return Error(ErrorCode::kConflict, "cannot " + request.doing)
        .Because("the volume holds " + std::to_string(namespaces.size()) + " namespaces")
        .Try("remove the namespaces that are not of this storage");
  }
  return std::optional(std::move(namespaces.front()));
}

Result<std::optional<NvmeNamespace>> NvmeNamespaces::FindByUuid(const Uuid& uuid,
                                                                const Deadline& deadline) {
  ReadRequest request{.path = NamespacePath(uuid), .doing = "look up namespace " + uuid.Text()};
  request.query.Add("fields", NamespaceFields(NamespaceMaps::kRead));
  auto found = ReadOne(*rest_, request, ParseNamespace, deadline);
  if (found.ok()) return std::optional(std::move(*found));
  if (found.error().origin().refusal == Refusal::kGone) return std::optional<NvmeNamespace>();
  return std::move(found).error();
}

Result<std::vector<NvmeNamespace>> NvmeNamespaces::List(const std::string& volume_pattern,
                                                        const Deadline& deadline,
                                                        NamespaceMaps maps) {
  const auto request = NamespaceListing(svm_, PatternFilter(volume_pattern), maps);
  return ReadAll(*rest_, request, ParseNamespace, deadline);
}

Result<NvmeNamespace> NvmeNamespaces::Create(const std::string& volume_name,
                                             const std::string& base_name, ByteCount size,
                                             const std::string& comment, const Deadline& deadline) {
  Json body{{"os_type", "linux"}, {"space", {{"size", size.bytes()}, {"block_size", kBlockBytes}}}};
  if (!comment.empty()) body["comment"] = comment;
  return Make(std::move(body), volume_name, base_name, deadline);
}

// From a snapshot by name only (NetApp REST reference, 72090033).
Result<NvmeNamespace> NvmeNamespaces::CloneFromSnapshot(const NvmeNamespace& ns,
                                                        const std::string& snapshot_name,
                                                        const std::string& base_name,
                                                        const Deadline& deadline) {
  const std::string volume_path = PathIn(ns.volume_name, "");
  if (!ns.path.starts_with(volume_path)) {
    return Error(ErrorCode::kInternal, "cannot clone namespace " + Quoted(ns.path))
        .Because("the array says that it lies in volume " + Quoted(ns.volume_name));
  }
  const std::string source = PathIn(
      ns.volume_name, ".snapshot/" + snapshot_name + "/" + ns.path.substr(volume_path.size()));
  return Make({{"clone", {{"source", {{"name", source}}}}}}, ns.volume_name, base_name, deadline);
}

Result<NvmeNamespace> NvmeNamespaces::Make(Json body, const std::string& volume_name,
                                           const std::string& base_name, const Deadline& deadline) {
  const std::string path = PathIn(volume_name, base_name);
  body["svm"] = {{"name", svm_}};
  body["name"] = path;
  return Make(ChangeRequest::Post(kNamespacesPath, body, "create namespace " + Quoted(path)),
              volume_name, path, deadline);
}

Result<std::vector<Lun>> NvmeNamespaces::ListLuns(const std::string& volume_name,
                                                  const Deadline& deadline) {
  const auto request = LunListing(svm_, LiteralFilter(volume_name));
  return ReadAll(*rest_, request, ParseLun, deadline);
}

Result<NvmeNamespace> NvmeNamespaces::ConvertLun(const Lun& lun, const Deadline& deadline) {
  const std::string doing = "convert LUN " + Quoted(lun.path) + " to a namespace";
  if (rest_->IsOlderThan(kConvertsLuns)) {
    return Error(ErrorCode::kUnsupported, "cannot " + doing)
        .With("release", rest_->release()->Text())
        .Try("upgrade to ONTAP " + kConvertsLuns.Text() + " or later");
  }
  const Json body{{"svm", {{"name", svm_}}}, {"convert", {{"lun", {{"uuid", lun.uuid.Text()}}}}}};
  return Make(ChangeRequest::Post(kNamespacesPath, body, doing), lun.volume_name, lun.path,
              deadline);
}

Result<NvmeNamespace> NvmeNamespaces::Make(ChangeRequest request, const std::string& volume_name,
                                           const std::string& path, const Deadline& deadline) {
  request.takes_return_timeout = rest_->IsKnownAtLeast(kMayBeJob);
  // A job shows no record, and a record need not show the size in force.
  std::optional<Uuid> uuid;
  const auto from_answer = [&, name = request.Name()](
                               const ChangeAnswer& answer) -> Result<std::optional<NvmeNamespace>> {
    uuid = UuidFromLocation(answer.location, kNamespacesPath);
    if (answer.records.empty()) return std::optional<NvmeNamespace>();
    TRY(auto created, ParseRecord(answer.records.front(), name, ParseNamespace));
    uuid = created.uuid;
    if (created.size == ByteCount{}) return std::optional<NvmeNamespace>();
    // The answer may leave out where it lies; that much is known.
    if (created.volume_name.empty()) created.volume_name = volume_name;
    return std::optional(std::move(created));
  };
  const auto is_this = [&](const NvmeNamespace& ns) { return ns.path == path; };
  const auto look_up = [&] {
    return uuid ? FindByUuid(*uuid, deadline) : FindByVolume(volume_name, deadline, is_this);
  };
  return CreateOrLookUp(*rest_, std::move(request), from_answer, look_up, deadline);
}

Status NvmeNamespaces::Overwrite(const Uuid& uuid, const Uuid& source, const Deadline& deadline) {
  const Json body{{"clone", {{"source", {{"uuid", source.Text()}}}}}};
  auto request =
      ChangeRequest::Patch(NamespacePath(uuid), body, "overwrite namespace " + uuid.Text());
  request.takes_return_timeout = rest_->IsKnownAtLeast(kMayBeJob);
  return Apply(*rest_, std::move(request), deadline);
}

Status NvmeNamespaces::Delete(const Uuid& uuid, const Deadline& deadline) {
  auto request = ChangeRequest::Delete(NamespacePath(uuid), "delete namespace " + uuid.Text());
  request.takes_return_timeout = rest_->IsKnownAtLeast(kMayBeJob);
  return Remove(*rest_, std::move(request), deadline);
}

Status NvmeNamespaces::Grow(const Uuid& uuid, ByteCount size, const Deadline& deadline) {
  const Json body{{"space", {{"size", size.bytes()}}}};
  auto request = ChangeRequest::Patch(NamespacePath(uuid), body, "grow namespace " + uuid.Text());
  request.takes_return_timeout = rest_->IsKnownAtLeast(kMayBeJob);
  return Apply(*rest_, std::move(request), deadline);
}

}  // namespace ontapnvme::ontap
