// SPDX-License-Identifier: AGPL-3.0-or-later
// The calls that the typed resources are made of: each is one use of the REST client, with its
// answer read. `parse` takes a FieldReader& and returns what it made of one record. Private to the
// ontap layer.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/look_again.h"
#include "base/result.h"
#include "ontap/json_fields.h"
#include "ontap/release.h"
#include "ontap/rest_client.h"
#include "ontap/rest_types.h"

namespace ontapnvme::ontap {

// A field that older releases do not know.
struct NewerField {
  Release since;
  const char* name;
};

// Adds `fields` to the query: those given, and of the newer ones those that the array is known to
// have. (`ignore_unknown_fields` would take care of the others, but is itself unknown before 9.11.1.)
void AddFields(http::Query& query, const RestClient& rest, std::string fields,
               std::initializer_list<NewerField> newer = {});

// A change whose answer does not matter.
Status Apply(RestClient& rest, ChangeRequest request, const Deadline& deadline);
// Takes an object away: that it is gone already is success.
Status Remove(RestClient& rest, ChangeRequest request, const Deadline& deadline);

// The object that the path names.
template <typename Parse>
Result<ParsedBy<Parse>> ReadOne(RestClient& rest, const ReadRequest& request, Parse parse,
                                const Deadline& deadline) {
  TRY(const Json record, rest.Read(request, deadline));
  return ParseRecord(record, request.Name(), parse);
}

// All records of a collection, to its last page.
template <typename Parse>
Result<std::vector<ParsedBy<Parse>>> ReadAll(RestClient& rest, const ReadRequest& request,
                                             Parse parse, const Deadline& deadline) {
  TRY(const auto records, rest.List(request, deadline));
  return ParseRecords(records, request.Name(), parse);
}

// The first record of a collection that `is_wanted`, if there is one.
template <typename Parse, typename IsWanted>
Result<std::optional<ParsedBy<Parse>>> FindOne(RestClient& rest, const ReadRequest& request,
                                               Parse parse, IsWanted is_wanted,
                                               const Deadline& deadline) {
  TRY(auto all, ReadAll(rest, request, parse, deadline));
  for (auto& one : all) {
    if (is_wanted(one)) return std::make_optional(std::move(one));
  }
  return std::optional<ParsedBy<Parse>>();
}

// The record of exactly that name: a filter may match more than what it quotes.
template <typename Parse>
Result<std::optional<ParsedBy<Parse>>> FindNamed(RestClient& rest, const ReadRequest& request,
                                                 Parse parse, const std::string& name,
                                                 const Deadline& deadline) {
  const auto is_wanted = [&](const auto& one) { return one.name == name; };
  return FindOne(rest, request, parse, is_wanted, deadline);
}

// Carries out a POST and returns what it made: `from_answer` takes it from the ChangeAnswer where
// that holds it, at no further request; else `look_up` asks for it, until the array lists it. Both
// return Result<std::optional<T>>. Whatever fails once the POST was carried out leaves the outcome
// open.
template <typename FromAnswer, typename LookUp>
auto CreateOrLookUp(RestClient& rest, ChangeRequest request, FromAnswer from_answer, LookUp look_up,
                    const Deadline& deadline)
    -> Result<typename std::decay_t<decltype(*look_up())>::value_type> {
  request.query.Add("return_records", "true");
  const std::string failure = "cannot " + request.doing;
  TRY(const auto answer, rest.Change(std::move(request), deadline));
  auto made = from_answer(answer);
  if (made.ok() && !*made) made = LookAgainUntilListed(look_up, deadline);
  if (!made.ok()) return made.error().Wrap(failure).OutcomeUnknown();
  if (*made) return std::move(**made);
  return Error(ErrorCode::kUnavailable, failure)
      .Because("the array reports success, but does not list what it made")
      .Try("try again when the array is less busy")
      .OutcomeUnknown();
}

}  // namespace ontapnvme::ontap
