// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/rest_types.h"

#include <algorithm>

#include "ontap/rest_client.h"

namespace ontapnvme::ontap {

void AddFields(http::Query& query, const RestClient& rest, std::string fields,
               std::initializer_list<NewerField> newer) {
  for (const NewerField& field : newer) {
    if (!rest.IsOlderThan(field.since)) fields += std::string(",") + field.name;
  }
  query.Add("fields", fields);
  if (newer.size() > 0 && !rest.release()) query.Add("ignore_unknown_fields", "true");
}

std::optional<Uuid> UuidFromLocation(const std::string& location, std::string_view collection) {
  const auto at = location.find(collection);
  if (at == std::string::npos) return std::nullopt;
  std::string_view rest = std::string_view(location).substr(at + collection.size());
  if (rest.empty() || rest.front() != '/') return std::nullopt;
  rest.remove_prefix(1);
  return Uuid::Parse(rest.substr(0, rest.find_first_of("/?")));
}

std::string BodyText(const Json& body) {
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ontapnvme::ontap
