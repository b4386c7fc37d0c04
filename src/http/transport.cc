// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/transport.h"

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

bool IsUnusablePeer(const Error& error) {
  return error.origin().refusal == Refusal::kUnusablePeer;
}

bool IsSilence(const Error& error) {
  return error.code() == ErrorCode::kTimedOut ||
         (error.code() == ErrorCode::kUnavailable && !IsUnusablePeer(error));
}

}  // namespace ontapnvme::http
