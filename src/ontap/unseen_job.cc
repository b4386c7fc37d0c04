// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/unseen_job.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "ontap/json_fields.h"

namespace ontapnvme::ontap {
namespace {

// A job is seldom longer: the array has held the change for many seconds before it became one.
constexpr Duration kWaitMax = std::chrono::seconds(30);
constexpr Duration kDelayFirst{100};
constexpr Duration kDelayMax{2000};

enum class Outcome { kDone, kOpen };

// The fields that a PATCH sets, by their dotted names; nothing for one that sets more than plain
// values, as members of a group.
std::optional<std::map<std::string, Json>> FieldsOf(const Json& body, const std::string& prefix) {
  std::map<std::string, Json> fields;
  for (const auto& [key, value] : body.items()) {
    const std::string name = prefix + key;
    if (value.is_array()) return std::nullopt;
    if (!value.is_object()) {
      fields.emplace(name, value);
      continue;
    }
    auto inner = FieldsOf(value, name + ".");
    if (!inner) return std::nullopt;
    fields.merge(*inner);
  }
  return fields;
}

const Json* At(const Json& record, std::string_view name) {
  const Json* at = &record;
  while (at->is_object()) {
    const auto dot = std::min(name.find('.'), name.size());
    const auto member = at->find(name.substr(0, dot));
    if (member == at->end()) return nullptr;
    at = &*member;
    if (dot == name.size()) return at;
    name.remove_prefix(dot + 1);
  }
  return nullptr;
}

Result<Outcome> ReadBack(RestClient& rest, const ChangeRequest& request,
                         const std::map<std::string, Json>& wanted, const Deadline& deadline) {
  ReadRequest read{.path = request.path, .doing = request.doing};
  std::string names;
  for (const auto& [name, value] : wanted) names += (names.empty() ? "" : ",") + name;
  read.query.Add("fields", names);
  TRY(const Json record, rest.Read(read, deadline));
  const bool is_done = std::all_of(wanted.begin(), wanted.end(), [&](const auto& field) {
    const Json* is = At(record, field.first);
    return is != nullptr && *is == field.second;
  });
  return is_done ? Outcome::kDone : Outcome::kOpen;
}

// Sent again: an object that is gone says so, and what depends on it keeps it. Any other refusal may
// be that of a deletion that is under way.
Result<Outcome> DeleteAgain(RestClient& rest, const ChangeRequest& request,
                            const Deadline& deadline) {
  const auto again = rest.Change(request, deadline);
  if (again.ok() || again.error().origin().refusal == Refusal::kGone) return Outcome::kDone;
  if (again.error().origin().refusal == Refusal::kHeldByClones) return again.error();
  return Outcome::kOpen;
}

}  // namespace

bool IsJobUnseen(const Error& error) {
  return error.origin().refusal == Refusal::kJobUnseen;
}

Status SettleUnseen(RestClient& rest, const ChangeRequest& request, Error unseen,
                    const Deadline& deadline) {
  const bool is_delete = request.method == http::Method::kDelete;
  std::map<std::string, Json> wanted;
  if (!is_delete) {
    const auto body = Json::parse(request.body, nullptr, /*allow_exceptions=*/false);
    const bool is_absolute = request.is_idempotent && body.is_object() && !body.empty();
    auto fields = is_absolute ? FieldsOf(body, "") : std::nullopt;
    if (!fields) return unseen;
    wanted = std::move(*fields);
  }
  const Deadline working = deadline.Within(kWaitMax);
  for (Duration delay = kDelayFirst;; delay = std::min(delay * 2, kDelayMax)) {
    if (!working.Sleep(delay, "waiting for a job of the array").ok()) return unseen;
    const auto outcome =
        is_delete ? DeleteAgain(rest, request, working) : ReadBack(rest, request, wanted, working);
    // A refusal is one of the change that was sent again, or means that nothing can be read back.
    if (!outcome.ok()) return is_delete ? Status(outcome.error()) : Status(unseen);
    if (*outcome == Outcome::kDone) return {};
  }
}

}  // namespace ontapnvme::ontap
