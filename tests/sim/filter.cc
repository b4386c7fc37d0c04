// SPDX-License-Identifier: AGPL-3.0-or-later
#include "filter.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "api_error.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

void Collect(const json& value, std::string_view path, std::vector<json>* values) {
  if (value.is_array()) {
    for (const json& element : value) Collect(element, path, values);
    return;
  }
  if (path.empty()) {
    if (!value.is_null()) values->push_back(value);
    return;
  }
  if (!value.is_object()) return;
  const auto dot = std::min(path.find('.'), path.size());
  const auto found = value.find(std::string(path.substr(0, dot)));
  if (found == value.end()) return;
  Collect(*found, path.substr(std::min(dot + 1, path.size())), values);
}

// Sizes in queries may carry a unit, counted in powers of 1024.
std::optional<std::int64_t> ParseNumber(const std::string& text) {
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc()) return std::nullopt;
  static constexpr std::string_view kUnits = "KMGTP";
  std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  if (unit.empty()) return number;
  if (unit.size() != 2 || unit[1] != 'B') return std::nullopt;
  const auto power = kUnits.find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  return number * (std::int64_t{1} << (10 * (power + 1)));
}

std::string AsText(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool IsNumeric(const Field& field) {
  return field.type == FieldType::kInteger || field.type == FieldType::kNumber ||
         field.type == FieldType::kIntegers;
}

}  // namespace

std::vector<json> ValuesAt(const json& record, const std::string& path) {
  std::vector<json> values;
  Collect(record, path, &values);
  return values;
}

Filter::Filter(const Field& field, const std::string& expression) : field_(field) {
  std::vector<Glyph> part;
  for (const Glyph& glyph : Unquote(expression)) {
    if (glyph.character == '|' && !glyph.is_quoted) {
      alternatives_.push_back(ParseAlternative(std::move(part)));
      part.clear();
    } else {
      part.push_back(glyph);
    }
  }
  alternatives_.push_back(ParseAlternative(std::move(part)));
}

// "…" and {…} take their content literally; braces also hold quotes, and quotes hold braces.
std::vector<Filter::Glyph> Filter::Unquote(const std::string& expression) {
  std::vector<Glyph> glyphs;
  char closing = '\0';
  for (const char character : expression) {
    if (closing == '\0' && (character == '"' || character == '{')) {
      closing = character == '{' ? '}' : '"';
    } else if (closing != '\0' && character == closing) {
      closing = '\0';
    } else {
      glyphs.push_back({character, closing != '\0'});
    }
  }
  if (closing != '\0') Refuse(code::kBadQueryValue, "Unbalanced quotes in a query value");
  return glyphs;
}

Filter::Alternative Filter::ParseAlternative(std::vector<Glyph> glyphs) const {
  Alternative alternative;
  const auto is_plain = [&](std::size_t at, char character) {
    return at < glyphs.size() && glyphs[at].character == character && !glyphs[at].is_quoted;
  };
  const auto text = [&](std::size_t from, std::size_t to) {
    std::string plain;
    for (std::size_t i = from; i < to; ++i) plain += glyphs[i].character;
    return plain;
  };
  if (is_plain(0, '!')) {
    alternative.is_negated = true;
    glyphs.erase(glyphs.begin());
  }
  const bool is_quoted_somewhere =
      std::any_of(glyphs.begin(), glyphs.end(), [](const Glyph& glyph) { return glyph.is_quoted; });
  if (!is_quoted_somewhere && text(0, glyphs.size()) == "null") {
    alternative.kind = Kind::kUnset;
    return alternative;
  }
  if (is_plain(0, '<') || is_plain(0, '>')) {
    alternative.kind = Kind::kRange;
    const bool is_inclusive = is_plain(1, '=');
    const std::string value = text(is_inclusive ? 2 : 1, glyphs.size());
    RequireValue(value);
    auto& side = is_plain(0, '<') ? alternative.high : alternative.low;
    side.push_back({value, is_inclusive});
    return alternative;
  }
  for (std::size_t i = 0; i + 1 < glyphs.size(); ++i) {
    if (!is_plain(i, '.') || !is_plain(i + 1, '.')) continue;
    alternative.kind = Kind::kRange;
    alternative.low.push_back({text(0, i)});
    alternative.high.push_back({text(i + 2, glyphs.size())});
    RequireValue(alternative.low.front().value);
    RequireValue(alternative.high.front().value);
    return alternative;
  }
  const bool has_wildcard = std::any_of(glyphs.begin(), glyphs.end(), [](const Glyph& glyph) {
    return glyph.character == '*' && !glyph.is_quoted;
  });
  if (!has_wildcard) RequireValue(text(0, glyphs.size()));
  alternative.pattern = std::move(glyphs);
  return alternative;
}

void Filter::RequireValue(const std::string& value) const {
  bool is_valid = true;
  if (IsNumeric(field_)) is_valid = ParseNumber(value).has_value();
  if (field_.type == FieldType::kBoolean) is_valid = value == "true" || value == "false";
  if (!field_.values.empty()) {
    is_valid = std::find(field_.values.begin(), field_.values.end(), value) != field_.values.end();
  }
  if (!is_valid) {
    Refuse(code::kBadQueryValue,
           "The value \"" + value + "\" is invalid for field \"" + field_.path + "\"", field_.path);
  }
}

int Filter::Compare(const json& value, const std::string& text) const {
  if (IsNumeric(field_) && value.is_number_integer()) {
    const auto left = value.get<std::int64_t>();
    const auto right = ParseNumber(text).value_or(0);
    return left < right ? -1 : static_cast<int>(left > right);
  }
  return AsText(value).compare(text);
}

bool Filter::Holds(const Alternative& alternative, const std::vector<json>& values) const {
  if (alternative.kind == Kind::kUnset) return values.empty();
  return std::any_of(values.begin(), values.end(), [&](const json& value) {
    if (alternative.kind == Kind::kRange) {
      const auto below = [&](const Bound& bound) {
        const int order = Compare(value, bound.value);
        return order < 0 || (order == 0 && !bound.is_inclusive);
      };
      const auto above = [&](const Bound& bound) {
        const int order = Compare(value, bound.value);
        return order > 0 || (order == 0 && !bound.is_inclusive);
      };
      return std::none_of(alternative.low.begin(), alternative.low.end(), below) &&
             std::none_of(alternative.high.begin(), alternative.high.end(), above);
    }
    const auto& pattern = alternative.pattern;
    if (IsNumeric(field_)) {
      std::string text;
      for (const Glyph& glyph : pattern) text += glyph.character;
      if (ParseNumber(text)) return Compare(value, text) == 0;
    }
    // Greedy matching with one point of return, enough for patterns whose only operator is '*'.
    const std::string text = AsText(value);
    std::size_t at = 0;
    std::size_t p = 0;
    std::size_t star = std::string::npos;
    std::size_t star_at = 0;
    while (at < text.size()) {
      if (p < pattern.size() && pattern[p].character == '*' && !pattern[p].is_quoted) {
        star = p++;
        star_at = at;
      } else if (p < pattern.size() && pattern[p].character == text[at]) {
        ++p;
        ++at;
      } else if (star != std::string::npos) {
        p = star + 1;
        at = ++star_at;
      } else {
        return false;
      }
    }
    return std::all_of(
        pattern.begin() + static_cast<std::ptrdiff_t>(p), pattern.end(),
        [](const Glyph& glyph) { return glyph.character == '*' && !glyph.is_quoted; });
  });
}

bool Filter::Matches(const json& record) const {
  const std::vector<json> values = ValuesAt(record, field_.path);
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const Alternative& alternative) {
                       return Holds(alternative, values) != alternative.is_negated;
                     });
}

}  // namespace ontapnvme::sim
