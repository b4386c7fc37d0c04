// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/nvme_subsystem.h"

#include <algorithm>

#include "ontap/ontap_errors.h"
#include "ontap/query_value.h"
#include "ontap/rest_client.h"
#include "ontap/rest_types.h"

namespace ontapnvme::ontap {
namespace {

constexpr const char* kSubsystems = "/api/protocols/nvme/subsystems";
constexpr const char* kMaps = "/api/protocols/nvme/subsystem-maps";
constexpr const char* kControllers = "/api/protocols/nvme/subsystem-controllers";
constexpr const char* kSubsystemFields = "name,uuid,target_nqn,hosts.nqn";

NvmeSubsystem ParseSubsystem(FieldReader& fields) {
  NvmeSubsystem subsystem;
  subsystem.uuid = fields.RequireUuid("/uuid");
  subsystem.name = fields.RequireText("/name");
  subsystem.target_nqn = fields.OptionalText("/target_nqn");
  fields.ForEach("/hosts", [&](FieldReader& host) {
    subsystem.host_nqns.push_back(host.RequireText("/nqn"));
  });
  return subsystem;
}

// Letters, digits and the few others that NQNs and keys are made of: nothing that JSON would have
// to escape, so the body can be put together without a copy of the secret in a JSON document.
bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

std::string HostsPath(const Uuid& subsystem) {
  return std::string(kSubsystems) + "/" + subsystem.Text() + "/hosts";
}

// Reserved beforehand: growing would leave copies of the secrets behind.
std::string HostBody(const std::string& host_nqn, const HostSecurity& security) {
  constexpr std::size_t kSyntaxBytes = 256;
  const auto host_secret = security.dhchap_host_secret.Reveal();
  const auto controller_secret = security.dhchap_controller_secret.Reveal();
  const auto psk = security.tls_psk.Reveal();
  std::string body;
  body.reserve(kSyntaxBytes + host_nqn.size() + host_secret.size() + controller_secret.size() +
               psk.size());
  body.append(R"({"nqn":")").append(host_nqn).append("\"");
  if (!host_secret.empty()) {
    body.append(R"(,"dh_hmac_chap":{"host_secret_key":")").append(host_secret).append("\"");
    if (!controller_secret.empty()) {
      body.append(R"(,"controller_secret_key":")").append(controller_secret).append("\"");
    }
    body.append("}");
  }
  if (!psk.empty()) {
    body.append(R"(,"tls":{"key_type":"configured","configured_psk":")").append(psk).append("\"}");
  }
  body.append("}");
  return body;
}

Status CheckHost(const RestClient& rest, const std::string& host_nqn, const HostSecurity& security,
                 const std::string& doing) {
  const auto refuse = [&](ErrorCode code, std::string why) {
    return Error(code, "cannot " + doing).Because(std::move(why));
  };
  const bool wants_chap =
      !security.dhchap_host_secret.empty() || !security.dhchap_controller_secret.empty();
  if (wants_chap && rest.IsOlderThan(kDhChap)) {
    return refuse(ErrorCode::kUnsupported, "ONTAP " + rest.release()->Text() +
                                               " knows no DH-HMAC-CHAP; it came with " +
                                               kDhChap.Text());
  }
  if (!security.tls_psk.empty() && rest.IsOlderThan(kTlsPsk)) {
    return refuse(ErrorCode::kUnsupported, "ONTAP " + rest.release()->Text() +
                                               " knows no TLS for NVMe/TCP; it came with " +
                                               kTlsPsk.Text());
  }
  // NetApp REST reference, subsystem hosts POST: 72090042.
  if (security.dhchap_host_secret.empty() && !security.dhchap_controller_secret.empty()) {
    return refuse(ErrorCode::kInvalidArgument,
                  "the secret of the controller needs one of the host beside it");
  }
  const bool is_plain = IsPlain(host_nqn) && IsPlain(security.dhchap_host_secret.Reveal()) &&
                        IsPlain(security.dhchap_controller_secret.Reveal()) &&
                        IsPlain(security.tls_psk.Reveal());
  if (!is_plain || host_nqn.empty()) {
    return refuse(ErrorCode::kInvalidArgument,
                  "the host NQN or a secret holds a character that none may hold");
  }
  return {};
}

// "10.0.0.1:4420" and "[::1]:4420" are what they are without the port. NetApp's reference shows no
// example of an address over IP.
std::string BareAddress(std::string text) {
  const auto bracket = text.find(']');
  if (!text.empty() && text.front() == '[' && bracket != std::string::npos) {
    return text.substr(1, bracket - 1);
  }
  const auto colon = text.find(':');
  if (colon != std::string::npos && text.find(':', colon + 1) == std::string::npos) {
    text.resize(colon);
  }
  return text;
}

// The subsystem that a namespace is mapped to, as the array sees it now.
Result<std::optional<std::string>> MappedTo(RestClient& rest, const Uuid& namespace_uuid,
                                            const Deadline& deadline) {
  ReadRequest request;
  request.path = kMaps;
  request.query.Add("namespace.uuid", namespace_uuid.Text()).Add("fields", "subsystem.name");
  request.doing = "read the map of namespace " + namespace_uuid.Text();
  TRY(const auto records, rest.List(request, deadline));
  if (records.empty()) return std::optional<std::string>();
  FieldReader fields(records.front(), std::string_view("GET /api/protocols/nvme/subsystem-maps"));
  std::string name = fields.RequireText("/subsystem/name");
  TRY_STATUS(fields.status());
  return std::optional(std::move(name));
}

// Whether a refusal may stand for a map that exists. A refusal for want of rights, time or a
// connection says nothing about it.
bool MayBeMapped(const Error& error) {
  switch (error.code()) {
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kConflict:
    case ErrorCode::kBusy:
    case ErrorCode::kInternal:
    case ErrorCode::kInvalidArgument:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<std::optional<NvmeSubsystem>> NvmeSubsystems::Find(const std::string& name,
                                                          const Deadline& deadline) {
  ReadRequest request;
  request.path = kSubsystems;
  request.query.Add("svm.name", LiteralFilter(svm_))
      .Add("name", LiteralFilter(name))
      .Add("fields", kSubsystemFields);
  request.doing = "look up subsystem '" + CleanText(name) + "'";
  TRY(const auto records, rest_->List(request, deadline));
  for (const Json& record : records) {
    FieldReader fields(record, std::string_view("GET /api/protocols/nvme/subsystems"));
    NvmeSubsystem subsystem = ParseSubsystem(fields);
    TRY_STATUS(fields.status());
    if (subsystem.name == name) return std::optional(std::move(subsystem));
  }
  return std::optional<NvmeSubsystem>();
}

Result<NvmeSubsystem> NvmeSubsystems::Create(const std::string& name, const std::string& comment,
                                             const Deadline& deadline) {
  Json body{{"svm", {{"name", svm_}}}, {"name", name}, {"os_type", "linux"}};
  if (!comment.empty()) body["comment"] = comment;
  ChangeRequest request;
  request.path = kSubsystems;
  request.query.Add("return_records", "true");
  request.body = BodyText(body);
  request.doing = "create subsystem '" + CleanText(name) + "'";
  request.takes_return_timeout = false;  // always synchronous
  const std::string doing = request.doing;
  TRY(const auto answer, rest_->Change(std::move(request), deadline));
  if (!answer.records.empty()) {
    FieldReader fields(answer.records.front(),
                       std::string_view("POST /api/protocols/nvme/subsystems"));
    NvmeSubsystem created = ParseSubsystem(fields);
    TRY_STATUS(fields.status());
    if (!created.target_nqn.empty()) return created;
  }
  auto found = Find(name, deadline);
  if (found.ok() && *found) return **std::move(found);
  if (!found.ok()) return std::move(found).error().Wrap("cannot " + doing).OutcomeUnknown();
  return Error(ErrorCode::kInternal, "cannot " + doing)
      .Because("the array reports success, but does not list the subsystem")
      .OutcomeUnknown();
}

Status NvmeSubsystems::AddHost(const Uuid& subsystem, const std::string& host_nqn,
                               const HostSecurity& security, const Deadline& deadline) {
  ChangeRequest request;
  request.path = HostsPath(subsystem);
  request.doing = "add host '" + CleanText(host_nqn) + "' to the subsystem";
  TRY_STATUS(CheckHost(*rest_, host_nqn, security, request.doing));
  request.body = HostBody(host_nqn, security);
  request.is_idempotent = true;  // the second time it is there already
  request.takes_return_timeout = false;
  const auto added = rest_->Change(std::move(request), deadline);
  if (added.ok() || added.error().code() == ErrorCode::kAlreadyExists) return {};
  return added.error();
}

Status NvmeSubsystems::RemoveHost(const Uuid& subsystem, const std::string& host_nqn,
                                  const Deadline& deadline) {
  ChangeRequest request;
  request.method = http::Method::kDelete;
  request.path = HostsPath(subsystem) + "/" + http::PathSegment(host_nqn);
  request.doing = "remove host '" + CleanText(host_nqn) + "' from the subsystem";
  request.is_idempotent = true;
  request.takes_return_timeout = false;
  const auto removed = rest_->Change(std::move(request), deadline);
  if (removed.ok() || IsGone(removed.error())) return {};
  return removed.error();
}

Result<std::vector<HostConnection>> NvmeSubsystems::ListConnections(const Uuid& subsystem,
                                                                    const Deadline& deadline) {
  ReadRequest request;
  request.path = kControllers;
  request.query.Add("subsystem.uuid", subsystem.Text())
      .Add("fields", "host.nqn,host.id,host.transport_address");
  request.doing = "list the connections to the subsystem";
  TRY(const auto records, rest_->List(request, deadline));
  const auto parse = [](FieldReader& fields) {
    HostConnection connection;
    connection.host_nqn = fields.OptionalText("/host/nqn");
    connection.host_id = fields.OptionalText("/host/id");
    connection.address = BareAddress(fields.OptionalText("/host/transport_address"));
    return connection;
  };
  return ParseRecords(records, "GET /api/protocols/nvme/subsystem-controllers", parse);
}

Status NvmeSubsystems::Map(const Uuid& namespace_uuid, const std::string& subsystem_name,
                           const Deadline& deadline) {
  const Json body{{"svm", {{"name", svm_}}},
                  {"subsystem", {{"name", subsystem_name}}},
                  {"namespace", {{"uuid", namespace_uuid.Text()}}}};
  ChangeRequest request;
  request.path = kMaps;
  request.body = BodyText(body);
  request.doing = "map namespace " + namespace_uuid.Text() + " to subsystem '" +
                  CleanText(subsystem_name) + "'";
  request.is_idempotent = true;  // the second time it is mapped already
  request.takes_return_timeout = false;
  const std::string doing = request.doing;
  const auto mapped = rest_->Change(std::move(request), deadline);
  constexpr std::uint64_t kMappedHere = 72089790;
  if (mapped.ok() || HasOntapCode(mapped.error(), kMappedHere)) return {};
  if (!MayBeMapped(mapped.error())) return mapped.error();
  // The code for "mapped to another subsystem" is not stated: the map itself tells.
  const auto other = MappedTo(*rest_, namespace_uuid, deadline);
  if (!other.ok() || !*other) return mapped.error();
  if (**other == subsystem_name) return {};
  return Error(ErrorCode::kConflict, "cannot " + doing)
      .Because("it is mapped to subsystem '" + CleanText(**other) + "'")
      .With("request", std::string(mapped.error().Fact("request")))
      .Try("unmap it there first");
}

Status NvmeSubsystems::Unmap(const Uuid& subsystem, const Uuid& namespace_uuid,
                             const Deadline& deadline) {
  ChangeRequest request;
  request.method = http::Method::kDelete;
  request.path = std::string(kMaps) + "/" + subsystem.Text() + "/" + namespace_uuid.Text();
  request.doing = "unmap namespace " + namespace_uuid.Text();
  request.is_idempotent = true;
  request.takes_return_timeout = false;
  const auto unmapped = rest_->Change(std::move(request), deadline);
  if (unmapped.ok() || IsGone(unmapped.error())) return {};
  return unmapped.error();
}

}  // namespace ontapnvme::ontap
