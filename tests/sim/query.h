// SPDX-License-Identifier: AGPL-3.0-or-later
// The target of a request taken apart: path segments, the parameters every call knows, and the rest
// (filters of a listing, options of one endpoint).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ontapnvme::sim {

// Decodes %XX (and, in queries, '+' to a space). A malformed escape throws ApiError.
std::string PercentDecode(std::string_view text, bool is_query);
// Escapes everything but unreserved characters.
std::string PercentEncode(std::string_view text);

struct Query {
  std::vector<std::string> path;              // decoded segments, without "api"
  std::map<std::string, std::string> params;  // decoded; the common ones below are taken out

  std::string fields;    // empty: not given
  std::string order_by;  // empty: not given
  bool ignore_unknown_fields = false;
  bool names_ignore_unknown_fields = false;  // whatever its value
  std::optional<bool> return_records;
  std::optional<int> return_timeout_s;
  std::optional<std::size_t> max_records;
  std::string start_token;  // where a next link continues

  // Throws ApiError for a target that is not under /api, a repeated or malformed parameter.
  static Query Parse(const std::string& target);

  bool TakeFlag(const std::string& name, bool fallback);         // removes it; "true" or "false"
  std::optional<std::string> TakeText(const std::string& name);  // removes it
};

}  // namespace ontapnvme::sim
