// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/json_fields.h"

#include <algorithm>
#include <charconv>
#include <set>

namespace ontapnvme::ontap {
namespace {

// The deepest answer that is asked for here has seven levels.
constexpr int kDepthMax = 32;

Error Unreadable(std::string_view request, std::string_view what) {
  return Error(ErrorCode::kInternal, "cannot read the answer of the array")
      .Because(std::string(what))
      .With("request", std::string(request));
}

// What a document will be once it is parsed: how deep, and about how many values. Looked at before
// parsing, so that a hostile document costs no memory.
struct Shape {
  int depth = 0;
  std::size_t values = 1;
};

Shape Measure(std::string_view text) {
  Shape shape;
  int depth = 0;
  bool is_in_text = false;
  for (std::size_t i = 0; i < text.size() && shape.depth <= kDepthMax; ++i) {
    const char c = text[i];
    if (is_in_text && c == '\\') ++i;  // whatever is escaped ends no text
    if (c == '"') is_in_text = !is_in_text;
    if (is_in_text) continue;
    if (c == '{' || c == '[') shape.depth = std::max(shape.depth, ++depth);
    if (c == '}' || c == ']') --depth;
    if (c == '{' || c == '[' || c == ',') ++shape.values;
  }
  return shape;
}

// Looks through a document for keys that stand twice, which the parser lets pass. A pass of its
// own: parsing with a callback takes quadratic time in the length of a list (nlohmann/json 3.11
// looks through the whole list after each of its objects), which is minutes for a hostile one.
class KeyWatch final : public nlohmann::json_sax<Json> {
 public:
  bool is_doubled() const { return is_doubled_; }

  bool start_object(std::size_t /*count*/) override {
    keys_.emplace_back();
    return true;
  }
  bool key(string_t& name) override {
    is_doubled_ = !keys_.back().insert(name).second;
    return !is_doubled_;  // ends the pass
  }
  bool end_object() override {
    keys_.pop_back();
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }

 private:
  std::vector<std::set<std::string>> keys_;
  bool is_doubled_ = false;
};

bool Digits(std::string_view text, std::size_t at, std::size_t count, int& value) {
  if (at + count > text.size()) return false;
  const char* first = text.data() + at;
  if (*first == '-' || *first == '+') return false;
  const auto parsed = std::from_chars(first, first + count, value);
  return parsed.ec == std::errc() && parsed.ptr == first + count;
}

// "Z", "+hh:mm" or "-hh:mm".
std::optional<std::chrono::minutes> ParseOffset(std::string_view text) {
  if (text == "Z" || text == "z") return std::chrono::minutes(0);
  int hours = 0;
  int minutes = 0;
  if (text.size() != 6 || text[3] != ':' || !Digits(text, 1, 2, hours) ||
      !Digits(text, 4, 2, minutes) || hours > 23 || minutes > 59) {
    return std::nullopt;
  }
  const std::chrono::minutes offset(hours * 60 + minutes);
  if (text[0] == '+') return offset;
  if (text[0] == '-') return -offset;
  return std::nullopt;
}

}  // namespace

std::size_t Weight(std::string_view text) {
  constexpr std::size_t kBytesPerValue = 128;  // a node of an object with its name, measured
  return text.size() + kBytesPerValue * Measure(text).values;
}

Result<Json> ParseJson(std::string_view text, std::string_view request) {
  if (Measure(text).depth > kDepthMax) return Unreadable(request, "it is nested too deep");
  if (Weight(text) > kWeightMax) return Unreadable(request, "it is larger than any of an ONTAP");
  KeyWatch watch;
  const bool is_whole = Json::sax_parse(text, &watch);
  if (watch.is_doubled()) return Unreadable(request, "a key stands twice");
  if (!is_whole) return Unreadable(request, "it is no valid JSON");
  Json document = Json::parse(text, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (document.is_discarded()) return Unreadable(request, "it is no valid JSON");
  if (!document.is_object()) return Unreadable(request, "it is no JSON object");
  return document;
}

std::optional<std::chrono::sys_seconds> ParseTime(std::string_view text) {
  using namespace std::chrono;
  constexpr std::string_view kShape = "yyyy-mm-ddThh:mm:ss";
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  if (text.size() <= kShape.size() || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':' || !Digits(text, 0, 4, y) || !Digits(text, 5, 2, mo) ||
      !Digits(text, 8, 2, d) || !Digits(text, 11, 2, h) || !Digits(text, 14, 2, mi) ||
      !Digits(text, 17, 2, s)) {
    return std::nullopt;
  }
  std::string_view rest = text.substr(kShape.size());
  if (rest.front() == '.') {  // parts of a second are of no use here
    const auto end = rest.find_first_not_of("0123456789", 1);
    if (end == std::string_view::npos || end == 1) return std::nullopt;
    rest.remove_prefix(end);
  }
  const auto offset = ParseOffset(rest);
  const year_month_day date{year(y), month(static_cast<unsigned>(mo)),
                            day(static_cast<unsigned>(d))};
  if (!offset || !date.ok() || h > 23 || mi > 59 || s > 60) return std::nullopt;
  return sys_days(date) + hours(h) + minutes(mi) + seconds(s) - *offset;
}

const Json* FieldReader::Find(std::string_view path) const {
  const Json* at = record_;
  while (!path.empty()) {
    path.remove_prefix(1);  // the '/'
    const auto end = std::min(path.find('/'), path.size());
    if (!at->is_object()) return nullptr;
    const auto member = at->find(std::string(path.substr(0, end)));
    if (member == at->end()) return nullptr;
    at = &*member;
    path.remove_prefix(end);
  }
  return at->is_null() ? nullptr : at;
}

const Json* FieldReader::Require(std::string_view path) {
  const Json* value = Find(path);
  if (value == nullptr) Fail(path, "is missing");
  return value;
}

void FieldReader::Fail(std::string_view path, const char* what) {
  if (!status_.ok()) return;
  status_ = Unreadable(request_, "field '" + std::string(path) + "' " + what);
}

std::string FieldReader::RequireText(std::string_view path) {
  return Require(path) == nullptr ? std::string() : OptionalText(path);
}

std::string FieldReader::OptionalText(std::string_view path) {
  const Json* value = Find(path);
  if (value == nullptr) return {};
  const auto* text = value->get_ptr<const std::string*>();
  if (text == nullptr) {
    Fail(path, "is no text");
    return {};
  }
  if (text->find('\0') != std::string::npos) {
    Fail(path, "holds a NUL character");
    return {};
  }
  return *text;
}

Uuid FieldReader::RequireUuid(std::string_view path) {
  if (Require(path) == nullptr) return {};
  const auto uuid = OptionalUuid(path);
  if (!uuid) Fail(path, "is empty");
  return uuid.value_or(Uuid());
}

std::optional<Uuid> FieldReader::OptionalUuid(std::string_view path) {
  const std::string text = OptionalText(path);
  if (text.empty()) return std::nullopt;
  const auto uuid = Uuid::Parse(text);
  if (!uuid) Fail(path, "is no UUID");
  return uuid;
}

std::uint64_t FieldReader::RequireUint(std::string_view path) {
  if (Require(path) == nullptr) return 0;
  return OptionalUint(path).value_or(0);
}

std::optional<std::uint64_t> FieldReader::OptionalUint(std::string_view path) {
  const Json* value = Find(path);
  if (value == nullptr) return std::nullopt;
  // Negative numbers and fractions have other types in the parsed document.
  if (const auto* number = value->get_ptr<const Json::number_unsigned_t*>()) return *number;
  Fail(path, "is no number of the expected kind");
  return std::nullopt;
}

std::optional<bool> FieldReader::OptionalBool(std::string_view path) {
  const Json* value = Find(path);
  if (value == nullptr) return std::nullopt;
  if (const auto* flag = value->get_ptr<const bool*>()) return *flag;
  Fail(path, "is neither true nor false");
  return std::nullopt;
}

std::chrono::sys_seconds FieldReader::OptionalTime(std::string_view path) {
  const std::string text = OptionalText(path);
  if (text.empty()) return {};
  const auto time = ParseTime(text);
  if (!time) Fail(path, "is no time");
  return time.value_or(std::chrono::sys_seconds());
}

std::vector<std::string> FieldReader::OptionalTexts(std::string_view path) {
  std::vector<std::string> texts;
  const Json* value = Find(path);
  if (value == nullptr) return texts;
  if (!value->is_array()) {
    Fail(path, "is no list");
    return texts;
  }
  for (const Json& item : *value) {
    const auto* text = item.get_ptr<const std::string*>();
    if (text == nullptr) {
      Fail(path, "holds something that is no text");
      return texts;
    }
    if (text->find('\0') != std::string::npos) {
      Fail(path, "holds a NUL character");
      return texts;
    }
    texts.push_back(*text);
  }
  return texts;
}

void FieldReader::ForEach(std::string_view path, const std::function<void(FieldReader&)>& each) {
  const Json* value = Find(path);
  if (value == nullptr) return;
  if (!value->is_array()) return Fail(path, "is no list");
  for (const Json& item : *value) {
    if (!status_.ok()) return;
    if (!item.is_object()) return Fail(path, "holds something that is no object");
    FieldReader reader(item, request_);
    each(reader);
    if (!reader.status().ok()) status_ = reader.status();
  }
}

}  // namespace ontapnvme::ontap
