// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/nvme_subsystem.h"

#include <algorithm>

#include "base/ip_address.h"
#include "ontap/query_value.h"
#include "ontap/rest_calls.h"

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
  subsystem.comment = fields.OptionalText("/comment");
  fields.ForEach("/hosts", [&](FieldReader& host) {
    subsystem.host_nqns.push_back(host.RequireText("/nqn"));
  });
  return subsystem;
}

Result<std::optional<NvmeSubsystem>> FindIn(RestClient& rest, const std::string& svm_name,
                                            const std::string& name, const std::string& fields,
                                            const Deadline& deadline) {
  ReadRequest request{.path = kSubsystems, .doing = "look up subsystem " + Quoted(name)};
  request.query.Add("svm.name", LiteralFilter(svm_name))
      .Add("name", LiteralFilter(name))
      .Add("fields", fields);
  return FindNamed(rest, request, ParseSubsystem, name, deadline);
}

HostConnection ParseConnection(FieldReader& fields) {
  HostConnection connection;
  connection.host_nqn = fields.OptionalText("/host/nqn");
  connection.host_id = fields.OptionalText("/host/id");
  // NetApp's reference shows no example of an address over IP: it may have a port.
  connection.address = WithoutPort(fields.OptionalText("/host/transport_address"));
  return connection;
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

// The subsystem that a namespace is mapped to, as the array sees it now.
Result<std::optional<std::string>> MappedTo(RestClient& rest, const Uuid& namespace_uuid,
                                            const Deadline& deadline) {
  ReadRequest request{.path = kMaps, .doing = "read the map of namespace " + namespace_uuid.Text()};
  request.query.Add("namespace.uuid", namespace_uuid.Text()).Add("fields", "subsystem.name");
  const auto parse = [](FieldReader& fields) { return fields.RequireText("/subsystem/name"); };
  const auto any = [](const std::string&) { return true; };
  return FindOne(rest, request, parse, any, deadline);
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
  return FindIn(*rest_, svm_, name, kSubsystemFields, deadline);
}

Result<std::optional<NvmeSubsystem>> NvmeSubsystems::FindWithComment(const std::string& name,
                                                                     const Deadline& deadline) {
  return FindIn(*rest_, svm_, name, std::string(kSubsystemFields) + ",comment", deadline);
}

Status NvmeSubsystems::Delete(const Uuid& subsystem, const Deadline& deadline) {
  auto request = ChangeRequest::Delete(std::string(kSubsystems) + "/" + subsystem.Text(),
                                       "delete subsystem " + subsystem.Text());
  request.takes_return_timeout = false;
  return Remove(*rest_, std::move(request), deadline);
}

Result<NvmeSubsystem> NvmeSubsystems::Create(const std::string& name, const std::string& comment,
                                             const Deadline& deadline) {
  Json body{{"svm", {{"name", svm_}}}, {"name", name}, {"os_type", "linux"}};
  if (!comment.empty()) body["comment"] = comment;
  auto request = ChangeRequest::Post(kSubsystems, body, "create subsystem " + Quoted(name));
  request.takes_return_timeout = false;  // always synchronous
  const auto from_answer = [request_name = request.Name()](
                               const ChangeAnswer& answer) -> Result<std::optional<NvmeSubsystem>> {
    if (answer.records.empty()) return std::optional<NvmeSubsystem>();
    TRY(auto created, ParseRecord(answer.records.front(), request_name, ParseSubsystem));
    if (created.target_nqn.empty()) return std::optional<NvmeSubsystem>();
    return std::optional(std::move(created));
  };
  const auto look_up = [&] { return Find(name, deadline); };
  return CreateOrLookUp(*rest_, std::move(request), from_answer, look_up, deadline);
}

Status NvmeSubsystems::AddHost(const Uuid& subsystem, const std::string& host_nqn,
                               const HostSecurity& security, const Deadline& deadline) {
  ChangeRequest request{.path = HostsPath(subsystem),
                        .doing = "add host " + Quoted(host_nqn) + " to the subsystem"};
  TRY_STATUS(CheckHost(*rest_, host_nqn, security, request.doing));
  request.body = HostBody(host_nqn, security);
  request.is_idempotent = true;  // the second time it is there already
  request.takes_return_timeout = false;
  Status added = Apply(*rest_, std::move(request), deadline);
  if (FailedWith(added, ErrorCode::kAlreadyExists)) return {};
  return added;
}

Status NvmeSubsystems::RemoveHost(const Uuid& subsystem, const std::string& host_nqn,
                                  const Deadline& deadline) {
  auto request = ChangeRequest::Delete(HostsPath(subsystem) + "/" + http::PathSegment(host_nqn),
                                       "remove host " + Quoted(host_nqn) + " from the subsystem");
  request.takes_return_timeout = false;
  return Remove(*rest_, std::move(request), deadline);
}

Result<std::vector<HostConnection>> NvmeSubsystems::ListConnections(const Uuid& subsystem,
                                                                    const Deadline& deadline) {
  ReadRequest request{.path = kControllers, .doing = "list the connections to the subsystem"};
  request.query.Add("subsystem.uuid", subsystem.Text())
      .Add("fields", "host.nqn,host.id,host.transport_address");
  return ReadAll(*rest_, request, ParseConnection, deadline);
}

Result<std::size_t> NvmeSubsystems::CountMaps(const Uuid& subsystem, const Deadline& deadline) {
  ReadRequest request{.path = kMaps, .doing = "count the namespaces of the subsystem"};
  request.query.Add("subsystem.uuid", subsystem.Text()).Add("fields", "namespace.uuid");
  const auto parse = [](FieldReader& fields) { return fields.RequireUuid("/namespace/uuid"); };
  TRY(const auto maps, ReadAll(*rest_, request, parse, deadline));
  return maps.size();
}

Status NvmeSubsystems::Map(const Uuid& namespace_uuid, const std::string& subsystem_name,
                           const Deadline& deadline) {
  const Json body{{"svm", {{"name", svm_}}},
                  {"subsystem", {{"name", subsystem_name}}},
                  {"namespace", {{"uuid", namespace_uuid.Text()}}}};
  auto request = ChangeRequest::Post(
      kMaps, body,
      "map namespace " + namespace_uuid.Text() + " to subsystem " + Quoted(subsystem_name));
  request.is_idempotent = true;  // the second time it is mapped already
  request.takes_return_timeout = false;
  const std::string failure = "cannot " + request.doing;
  const std::string request_name = request.Name();
  Status mapped = Apply(*rest_, std::move(request), deadline);
  if (mapped.ok() || mapped.error().origin().refusal == Refusal::kMappedHere) return {};
  if (!MayBeMapped(mapped.error())) return mapped;
  // The code for "mapped to another subsystem" is not documented: the map itself shows it.
  const auto other = MappedTo(*rest_, namespace_uuid, deadline);
  if (!other.ok() || !*other) return mapped;
  if (**other == subsystem_name) return {};
  return Error(ErrorCode::kConflict, failure)
      .Because("it is mapped to subsystem " + Quoted(**other))
      .With("request", request_name)
      .Try("unmap it there first");
}

Status NvmeSubsystems::Unmap(const Uuid& subsystem, const Uuid& namespace_uuid,
                             const Deadline& deadline) {
  auto request = ChangeRequest::Delete(
      std::string(kMaps) + "/" + subsystem.Text() + "/" + namespace_uuid.Text(),
      "unmap namespace " + namespace_uuid.Text());
  request.takes_return_timeout = false;
  return Remove(*rest_, std::move(request), deadline);
}

}  // namespace ontapnvme::ontap
