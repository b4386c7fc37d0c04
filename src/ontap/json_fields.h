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
#include <utility>
#include <vector>

#include "base/byte_count.h"
#include "base/result.h"
#include "base/uuid.h"

namespace ontapnvme::ontap {

using Json = nlohmann::json;

// About how many bytes of memory a document takes once it is parsed. One of very short values takes
// forty times its length.
std::size_t Weight(std::string_view text);
inline constexpr std::size_t kWeightMax = std::size_t{256} << 20U;  // of one document

// The document in `text`. kInternal for what is no JSON object, is nested deeper than any answer of
// ONTAP, is heavier than kWeightMax, names a key twice or holds a number that does not fit. The
// text itself never appears in the error; `request` does.
Result<Json> ParseJson(std::string_view text, std::string_view request);

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

// The records of a listing, each read by `parse`, which takes a FieldReader&; the first that is not
// as it must be fails all. `request` names the listing in errors.
template <typename Parse>
auto ParseRecords(const std::vector<Json>& records, std::string_view request, Parse parse)
    -> Result<std::vector<decltype(parse(std::declval<FieldReader&>()))>> {
  std::vector<decltype(parse(std::declval<FieldReader&>()))> parsed;
  parsed.reserve(records.size());
  for (const Json& record : records) {
    FieldReader fields(record, request);
    parsed.push_back(parse(fields));
    TRY_STATUS(fields.status());
  }
  return parsed;
}

}  // namespace ontapnvme::ontap
