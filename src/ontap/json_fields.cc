// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/json_fields.h"

#include <algorithm>
#include <charconv>

namespace ontapnvme::ontap {
namespace {

// The deepest answer that is asked for here has seven levels.
constexpr std::size_t kDepthMax = 32;

Error Unreadable(std::string_view request, std::string_view what) {
  return Error(ErrorCode::kInternal, "cannot read the answer of the array")
      .Because(std::string(what))
      .With("request", std::string(request));
}

// Of memory: a node of an object with its name, measured. A document of very short values takes forty
// times its length.
constexpr std::size_t kBytesPerValue = 128;
// How often the clock is looked at: after this many values, which take some tenths of a millisecond.
constexpr std::size_t kValuesPerLook = 1024;

std::string Mebibytes(std::size_t bytes) {
  return std::to_string(bytes >> 20U) + " MiB";
}

// Builds a document while it is read, and stops where it becomes what no answer of an ONTAP is: a
// hostile one costs neither memory nor time. A key that stands twice, which the library's own parser
// lets pass, ends it too.
class DocumentBuilder final : public nlohmann::json_sax<Json> {
 public:
  // `weight` is what the other documents of the same call weigh. Borrowed.
  DocumentBuilder(std::string_view request, const Deadline& deadline, std::size_t weight)
      : request_(request), deadline_(&deadline), weight_others_(weight) {}

  // Once the reading is over.
  const std::optional<Error>& error() const { return error_; }
  std::size_t weight() const { return weight_; }
  Json TakeDocument() { return std::move(root_); }

  bool null() override { return Add(Json()); }
  bool boolean(bool value) override { return Add(Json(value)); }
  bool number_integer(number_integer_t value) override { return Add(Json(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Add(Json(value)); }
  bool number_float(number_float_t value, const string_t&) override { return Add(Json(value)); }
  bool string(string_t& text) override { return Weigh(text.size()) && Add(Json(std::move(text))); }
  bool binary(binary_t&) override { return Refuse("it is not valid JSON"); }
  bool start_object(std::size_t) override { return Open(Json::object()); }
  bool start_array(std::size_t) override { return Open(Json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& name) override {
    if (!Weigh(name.size())) return false;
    auto& members = open_.back()->get_ref<Json::object_t&>();
    const auto [member, is_new] = members.emplace(std::move(name), nullptr);
    member_ = &member->second;
    return is_new || Refuse("a key stands twice");
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return Refuse("it is not valid JSON");
  }

 private:
  bool Refuse(std::string_view why) {
    error_ = Unreadable(request_, why);
    return false;
  }
  bool RefuseWeight(const char* what, std::size_t limit) {
    error_ = Unreadable(request_, what + Mebibytes(limit) + " of memory")
                 .With("limit", std::to_string(limit));
    return false;
  }
  bool Weigh(std::size_t bytes) {
    weight_ += bytes;
    if (weight_ > kWeightMax) return RefuseWeight("it takes more than ", kWeightMax);
    if (weight_others_ + weight_ > kListWeightMax) {
      return RefuseWeight("its pages take more than ", kListWeightMax);
    }
    return true;
  }
  bool IsInTime() {
    const Status status = deadline_->Check("reading an answer of the array");
    if (status.ok()) return true;
    error_ = Error(status.error().code(), status.error().sentence())
                 .With("request", std::string(request_))
                 .With("values", std::to_string(values_));
    return false;
  }
  // Where the next value goes: the document itself, the end of a list, or the member just named.
  Json* Place(Json value) {
    if (open_.empty()) return &(root_ = std::move(value));
    if (auto* list = open_.back()->get_ptr<Json::array_t*>()) {
      return &list->emplace_back(std::move(value));
    }
    return &(*member_ = std::move(value));
  }
  bool Add(Json value) {
    if (++values_ % kValuesPerLook == 0 && !IsInTime()) return false;
    if (!Weigh(kBytesPerValue)) return false;
    last_ = Place(std::move(value));
    return true;
  }
  bool Open(Json container) {
    if (open_.size() >= kDepthMax) return Refuse("it is nested too deep");
    if (!Add(std::move(container))) return false;
    open_.push_back(last_);  // stays where it is until it is closed: nothing joins its own list
    return true;
  }
  bool Close() {
    open_.pop_back();
    return true;
  }

  std::string_view request_;
  const Deadline* deadline_;
  std::size_t weight_others_;
  std::size_t weight_ = 0;
  std::size_t values_ = 0;
  Json root_;
  std::vector<Json*> open_;  // from the outermost to the one that is being filled
  Json* member_ = nullptr;
  Json* last_ = nullptr;
  std::optional<Error> error_;
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

Result<Json> ParseJson(std::string_view text, std::string_view request, const Deadline& deadline,
                       std::size_t* weight) {
  DocumentBuilder builder(request, deadline, weight == nullptr ? 0 : *weight);
  Json::sax_parse(text, &builder);
  if (builder.error()) return *builder.error();
  if (weight != nullptr) *weight += builder.weight();
  Json document = builder.TakeDocument();
  if (!document.is_object()) return Unreadable(request, "it is not a JSON object");
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
    Fail(path, "is not a text");
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
  if (!uuid) Fail(path, "is not a UUID");
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
  Fail(path, "is not a number of the expected kind");
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
  if (!time) Fail(path, "is not a time");
  return time.value_or(std::chrono::sys_seconds());
}

std::vector<std::string> FieldReader::OptionalTexts(std::string_view path) {
  std::vector<std::string> texts;
  const Json* value = Find(path);
  if (value == nullptr) return texts;
  if (!value->is_array()) {
    Fail(path, "is not a list");
    return texts;
  }
  for (const Json& item : *value) {
    const auto* text = item.get_ptr<const std::string*>();
    if (text == nullptr) {
      Fail(path, "holds something that is not a text");
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
  if (!value->is_array()) return Fail(path, "is not a list");
  for (const Json& item : *value) {
    if (!status_.ok()) return;
    if (!item.is_object()) return Fail(path, "holds something that is not an object");
    FieldReader reader(item, request_);
    each(reader);
    if (!reader.status().ok()) status_ = reader.status();
  }
}

}  // namespace ontapnvme::ontap
