// SPDX-License-Identifier: AGPL-3.0-or-later
// What the typed resources hand to the REST client and get back. Private to the ontap layer.
#pragma once

#include <initializer_list>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "http/transport.h"
#include "http/url.h"
#include "ontap/json_fields.h"
#include "ontap/release.h"

namespace ontapnvme::ontap {

class RestClient;

// A GET of a collection or an object. `path` begins with "/api/"; `doing` completes "cannot …".
struct ReadRequest {
  std::string path;
  http::Query query;
  std::string doing;

  // "METHOD /path", as it stands in errors and in the log; the path of a further page is the
  // array's own text.
  std::string Name() const { return "GET " + CleanText(http::PathOf(path)); }
};

// A POST, PATCH or DELETE.
struct ChangeRequest {
  http::Method method = http::Method::kPost;
  std::string path;
  http::Query query;
  std::string body;  // JSON; wiped once the answer is there, since it may hold a secret
  std::string doing;
  // Whether sending it twice does no harm: then a lost answer is settled by sending it again.
  bool is_idempotent = false;
  // Whether the call may be a job and takes `return_timeout` (NetApp REST reference, per call).
  bool takes_return_timeout = true;

  std::string Name() const { return std::string(http::ToString(method)) + " " + path; }
};

// What a change that was carried out left behind.
struct ChangeAnswer {
  std::vector<Json> records;  // with return_records=true; may be empty all the same
  std::string location;       // path of the new object, where the array names it
};

// A field that older releases do not know.
struct NewerField {
  Release since;
  const char* name;
};

// Adds `fields` to the query: those given, and of the newer ones those that the array knows. While
// its release is not known all are asked for, with ignore_unknown_fields, which is NetApp's way to
// use one list on many releases.
void AddFields(http::Query& query, const RestClient& rest, std::string fields,
               std::initializer_list<NewerField> newer = {});

// The UUID at the end of a Location such as /api/storage/volumes/<uuid>; nothing where it has
// another form.
std::optional<Uuid> UuidFromLocation(const std::string& location, std::string_view collection);

// JSON as a request body. What is no UTF-8 becomes a replacement character rather than an error.
std::string BodyText(const Json& body);

}  // namespace ontapnvme::ontap
