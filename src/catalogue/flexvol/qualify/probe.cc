// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/qualify/probe.h"

namespace ontapnvme::catalogue::flexvol {

bool IsRefusal(const Error& error) {
  if (error.outcome_unknown()) return false;
  switch (error.code()) {
    case ErrorCode::kUnavailable:
    case ErrorCode::kTimedOut:
    case ErrorCode::kInterrupted:
    case ErrorCode::kUnauthenticated:
    case ErrorCode::kPermissionDenied:
    case ErrorCode::kDeviceMissing:
      return false;
    case ErrorCode::
        kInternal:  // a code that is in no table is a refusal, an unreadable answer none
      return error.origin().array_code.has_value();
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kUnsupported:
    case ErrorCode::kNotFound:
    case ErrorCode::kAlreadyExists:
    case ErrorCode::kBusy:
    case ErrorCode::kConflict:
    case ErrorCode::kNoSpace:
      return true;
  }
  return false;
}

std::string CodeOf(const Error& error) {
  const auto& origin = error.origin();
  if (origin.array_code) return "code " + std::to_string(*origin.array_code);
  if (origin.http_status != 0) return "HTTP " + std::to_string(origin.http_status);
  return error.Plain();
}

Result<Answer> TakenOrRefused(const Status& status) {
  if (status.ok()) return Answer{"take"};
  if (!IsRefusal(status.error())) return status.error();
  return Answer{"refuse", CodeOf(status.error())};
}

}  // namespace ontapnvme::catalogue::flexvol
