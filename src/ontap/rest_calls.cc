// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/rest_calls.h"

#include "ontap/unseen_job.h"

namespace ontapnvme::ontap {

void AddFields(http::Query& query, const RestClient& rest, std::string fields,
               std::initializer_list<NewerField> newer) {
  for (const NewerField& field : newer) {
    if (rest.IsKnownAtLeast(field.since)) fields += std::string(",") + field.name;
  }
  query.Add("fields", fields);
}

Status Apply(RestClient& rest, ChangeRequest request, const Deadline& deadline) {
  const bool may_settle = request.method != http::Method::kPost;
  const auto sent = may_settle ? std::optional(request) : std::nullopt;
  auto answer = rest.Change(std::move(request), deadline);
  if (answer.ok()) return {};
  if (!sent || !IsJobUnseen(answer.error())) return std::move(answer).error();
  return SettleUnseen(rest, *sent, std::move(answer).error(), deadline);
}

Status Remove(RestClient& rest, ChangeRequest request, const Deadline& deadline) {
  Status removed = Apply(rest, std::move(request), deadline);
  if (!removed.ok() && removed.error().origin().refusal == Refusal::kGone) return {};
  return removed;
}

}  // namespace ontapnvme::ontap
