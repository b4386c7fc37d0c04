// SPDX-License-Identifier: AGPL-3.0-or-later
// Reads JSON as if it were hostile: what is missing, of the wrong type or out of range becomes an
// error that names field and request, never an exception and never an invented value.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"
#include "base/uuid.h"

namespace ontapnvme::ontap {

using Json = nlohmann::json;

// About how many bytes of memory one document may take, and all pages of one call together. The largest
// page that is asked for is ONTAP's default of 10,000 records; one of volumes with all that is read of
// them would take 40 MiB.
inline constexpr std::size_t kWeightMax = std::size_t{80} << 20U;
inline constexpr std::size_t kListWeightMax = std::size_t{128} << 20U;

// The document in `text`. kInternal for what is not a JSON object, is nested deeper than any answer
// of ONTAP, is heavier than the above, names a key twice or holds a number that does not fit; kTimedOut
// or kInterrupted when `deadline` says so. Each of these ends the reading at once. The text itself never
// appears in the error; `request` does. `weight`: of the documents that the same call has read before;
// that of this one is added.
Result<Json> ParseJson(std::string_view text, std::string_view request, const Deadline& deadline,
                       std::size_t* weight = nullptr);

// "2026-01-31T12:00:00Z" or with an offset such as -05:00 (RFC 3339), as ONTAP writes times.
std::optional<std::chrono::sys_seconds> ParseTime(std::string_view text);

// The fields of one record. Paths are written as in a JSON pointer ("/space/size"). The first field
// that is not as it must be decides status(); after it the getters return empty values.
class FieldReader {
 public:
  // `record` is borrowed.
  FieldReader(const Json& record, std::string_view request) : record_(&record), request_(request) {}

  const Status& status() const { return status_; }
  bool Has(std::string_view path) const { return Find(path) != nullptr; }

  // Absent or null is an error for Require…, an empty value for Optional….
  std::string RequireText(std::string_view path);
  std::string OptionalText(std::string_view path);
  Uuid RequireUuid(std::string_view path);
  std::optional<Uuid> OptionalUuid(std::string_view path);
  std::uint64_t RequireUint(std::string_view path);
  std::optional<std::uint64_t> OptionalUint(std::string_view path);
  ByteCount RequireBytes(std::string_view path) { return ByteCount{RequireUint(path)}; }
  ByteCount OptionalBytes(std::string_view path) {
    return ByteCount{OptionalUint(path).value_or(0)};
  }
  std::optional<bool> OptionalBool(std::string_view path);
  std::chrono::sys_seconds OptionalTime(std::string_view path);  // absent: the epoch
  std::vector<std::string> OptionalTexts(std::string_view path);
  // Calls `each` with a reader for every element of an array of objects; the first error counts.
  void ForEach(std::string_view path, const std::function<void(FieldReader&)>& each);

 private:
  const Json* Find(std::string_view path) const;
  const Json* Require(std::string_view path);
  void Fail(std::string_view path, const char* what);

  const Json* record_;
  std::string request_;
  Status status_;
};

// What `parse`, which takes a FieldReader&, makes of a record.
template <typename Parse>
using ParsedBy = std::invoke_result_t<Parse, FieldReader&>;

// One record, read by `parse`. `request` names its source in errors.
template <typename Parse>
Result<ParsedBy<Parse>> ParseRecord(const Json& record, std::string_view request, Parse parse) {
  FieldReader fields(record, request);
  auto parsed = parse(fields);
  TRY_STATUS(fields.status());
  return parsed;
}

// The records of a listing; the first that is not as it must be fails all.
template <typename Parse>
Result<std::vector<ParsedBy<Parse>>> ParseRecords(const std::vector<Json>& records,
                                                  std::string_view request, Parse parse) {
  std::vector<ParsedBy<Parse>> all;
  all.reserve(records.size());
  for (const Json& record : records) {
    TRY(auto parsed, ParseRecord(record, request, parse));
    all.push_back(std::move(parsed));
  }
  return all;
}

}  // namespace ontapnvme::ontap
