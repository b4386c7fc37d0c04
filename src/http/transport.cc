// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/transport.h"

#include <algorithm>
#include <array>

namespace ontapnvme::http {

std::string_view ToString(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kPost:
      return "POST";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
  }
  return "GET";
}

bool IsRefusal(const Error& error) {
  if (error.code() != ErrorCode::kUnavailable) return false;
  return std::ranges::any_of(std::array{"tls", "http", "limit"},
                             [&](const char* fact) { return !error.Fact(fact).empty(); });
}

bool IsSilence(const Error& error) {
  return error.code() == ErrorCode::kTimedOut ||
         (error.code() == ErrorCode::kUnavailable && !IsRefusal(error));
}

}  // namespace ontapnvme::http
