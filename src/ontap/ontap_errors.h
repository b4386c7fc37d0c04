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
struct Refusal {
  int http_status = 0;                // 0 for a job
  std::optional<std::uint64_t> code;  // absent when the answer carries no envelope
  std::string message;                // as sent; cleaned before it is shown
};

struct Judgement {
  Error error;
  http::RetryCause cause = http::RetryCause::kFinal;
};

// The error for a refusal of `request` ("METHOD /path", without query), which was sent to `doing`
// ("create volume 'x'"). Carries the facts `ontap_code`, `http` and `request`.
Judgement Judge(const Refusal& refusal, std::string_view request, std::string_view doing);

// Whether an error carries this code of ONTAP.
bool HasOntapCode(const Error& error, std::uint64_t code);

// Whether an error says that the object named by the request is gone (and not its SVM): success for
// a delete.
bool IsGone(const Error& error);

// Whether an error says that FlexClones, which may be in the recovery queue, keep a volume or a
// snapshot from being deleted.
bool IsHeldByClones(const Error& error);

// Whether an error is what an array answers that does not take '*' in place of a UUID in a path.
// Anything else would fail for a single object as well.
bool IsBulkRefused(const Error& error);

}  // namespace ontapnvme::ontap
