// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/rest_types.h"

#include <utility>

#include "base/text.h"

namespace ontapnvme::ontap {
namespace {

// What is not UTF-8 becomes a replacement character rather than an error.
std::string BodyText(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string ReadRequest::Name() const {
  return "GET " + CleanText(http::PathOf(path));
}

ChangeRequest ChangeRequest::Post(std::string path, const Json& body, std::string doing) {
  return {.method = http::Method::kPost,
          .path = std::move(path),
          .body = BodyText(body),
          .doing = std::move(doing)};
}

ChangeRequest ChangeRequest::Patch(std::string path, const Json& body, std::string doing) {
  return {.method = http::Method::kPatch,
          .path = std::move(path),
          .body = BodyText(body),
          .doing = std::move(doing),
          .is_idempotent = true};
}

ChangeRequest ChangeRequest::Delete(std::string path, std::string doing) {
  return {.method = http::Method::kDelete,
          .path = std::move(path),
          .doing = std::move(doing),
          .is_idempotent = true};
}

std::string ChangeRequest::Name() const {
  return std::string(http::ToString(method)) + " " + path;
}

std::optional<Uuid> UuidFromLocation(const std::string& location, std::string_view collection) {
  const auto at = location.find(collection);
  if (at == std::string::npos) return std::nullopt;
  std::string_view rest = std::string_view(location).substr(at + collection.size());
  if (rest.empty() || rest.front() != '/') return std::nullopt;
  rest.remove_prefix(1);
  return Uuid::Parse(rest.substr(0, rest.find_first_of("/?")));
}

}  // namespace ontapnvme::ontap
