// SPDX-License-Identifier: AGPL-3.0-or-later
// What the typed resources hand to the REST client and get back. Private to the ontap layer.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "base/uuid.h"
#include "http/transport.h"
#include "http/url.h"

namespace ontapnvme::ontap {

using Json = nlohmann::json;

// A GET of a collection or an object. `path` begins with "/api/"; `doing` completes "cannot …".
struct ReadRequest {
  std::string path;
  http::Query query = {};
  std::string doing;

  // "METHOD /path", as it stands in errors and in the log; the path of a further page is the
  // array's own text.
  std::string Name() const;
};

// A POST, PATCH or DELETE.
struct ChangeRequest {
  http::Method method = http::Method::kPost;
  std::string path;
  http::Query query = {};
  std::string body = {};  // JSON; wiped once the answer is there, since it may hold a secret
  std::string doing;
  // Whether sending it twice does no harm: then a lost answer is settled by sending it again.
  bool is_idempotent = false;
  // Whether the call may be a job and takes `return_timeout` (NetApp REST reference, per call).
  bool takes_return_timeout = true;

  // Makes something: not idempotent.
  static ChangeRequest Post(std::string path, const Json& body, std::string doing);
  // Sets absolute values: idempotent.
  static ChangeRequest Patch(std::string path, const Json& body, std::string doing);
  // Idempotent.
  static ChangeRequest Delete(std::string path, std::string doing);

  std::string Name() const;
};

// What a change that was carried out left behind.
struct ChangeAnswer {
  std::vector<Json> records;  // with return_records=true; may be empty all the same
  std::string location;       // path of the new object, where the array names it
};

// The UUID at the end of a Location such as /api/storage/volumes/<uuid>; nothing where it has
// another form.
std::optional<Uuid> UuidFromLocation(const std::string& location, std::string_view collection);

}  // namespace ontapnvme::ontap
