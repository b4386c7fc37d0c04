// SPDX-License-Identifier: AGPL-3.0-or-later
// What a refusal of ONTAP means: one table of its codes, one of HTTP statuses, one row each with
// the source of the fact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "http/retry.h"

namespace ontapnvme::ontap {

// {"error":{"message","code","target"}} of an answer, or the outcome of a failed job.
struct ArrayError {
  int http_status = 0;                // 0 for a job
  std::optional<std::uint64_t> code;  // absent when the answer carries no envelope
  std::string message;                // as sent; cleaned before it is shown
};

struct Judgement {
  Error error;
  http::RetryCause cause = http::RetryCause::kFinal;
};

// The error for a refusal of `request` ("METHOD /path", without query), which was sent to `doing`
// ("create volume 'x'"). Carries its origin, and for people the facts `ontap_code`, `http` and
// `request`.
Judgement Judge(const ArrayError& refused, std::string_view request, std::string_view doing);

}  // namespace ontapnvme::ontap
