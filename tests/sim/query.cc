// SPDX-License-Identifier: AGPL-3.0-or-later
#include "query.h"

#include <algorithm>
#include <charconv>

#include "api_error.h"

namespace ontapnvme::sim {
namespace {

constexpr int kReturnTimeoutMax = 120;

int HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

bool ToBool(const std::string& name, const std::string& value) {
  if (value == "true") return true;
  if (value == "false") return false;
  Refuse(code::kBadQueryValue, "The value \"" + value + "\" is invalid for field \"" + name + "\"",
         name);
}

std::size_t ToNumber(const std::string& name, const std::string& value, std::size_t maximum) {
  std::size_t number = 0;
  const auto* end = value.data() + value.size();
  const auto [stop, error] = std::from_chars(value.data(), end, number);
  if (error != std::errc() || stop != end || number > maximum) {
    Refuse(code::kBadQueryValue,
           "The value \"" + value + "\" is invalid for field \"" + name + "\"", name);
  }
  return number;
}

// Dot segments go before escapes are decoded: an unescaped ".." in a path value hits the parent.
std::vector<std::string> SplitPath(std::string_view path) {
  std::vector<std::string> segments;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto slash = std::min(path.find('/'), path.size());
    const std::string_view raw = path.substr(0, slash);
    path.remove_prefix(slash);
    if (raw == "..") {
      if (!segments.empty()) segments.pop_back();
    } else if (raw != "." && !(raw.empty() && path.empty())) {
      segments.push_back(PercentDecode(raw, false));
    }
  }
  return segments;
}

std::map<std::string, std::string> SplitQuery(std::string_view query) {
  std::map<std::string, std::string> params;
  while (!query.empty()) {
    const auto ampersand = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, ampersand);
    query.remove_prefix(std::min(ampersand + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = std::min(pair.find('='), pair.size());
    const std::string name = PercentDecode(pair.substr(0, equals), true);
    const std::string value =
        equals == pair.size() ? "" : PercentDecode(pair.substr(equals + 1), true);
    if (!params.emplace(name, value).second) {
      Refuse(code::kFieldTwice, "Field \"" + name + "\" was specified twice", name);
    }
  }
  return params;
}

}  // namespace

std::string PercentDecode(std::string_view text, bool is_query) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && is_query) {
      decoded += ' ';
    } else if (text[i] == '%') {
      const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
      if (high < 0 || low < 0) Refuse(code::kBadQueryValue, "Malformed escape in the URL");
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    const bool is_plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
                          (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' ||
                          byte == '.' || byte == '~';
    if (is_plain) {
      encoded += character;
    } else {
      encoded += '%';
      encoded += kDigits[byte >> 4U];
      encoded += kDigits[byte & 15U];
    }
  }
  return encoded;
}

Query Query::Parse(const std::string& target) {
  const bool is_clean = std::all_of(target.begin(), target.end(), [](char character) {
    return character > ' ' && character < '\x7f';
  });
  if (target.empty() || target.front() != '/' || !is_clean) {
    Refuse(code::kBadQueryValue, "Malformed URL");
  }
  const auto question = std::min(target.find('?'), target.size());
  Query query;
  query.path = SplitPath(std::string_view(target).substr(0, question));
  if (query.path.empty() || query.path.front() != "api") {
    RefuseMissing(code::kUnsupported, "API not found");
  }
  query.path.erase(query.path.begin());
  if (question < target.size()) {
    query.params = SplitQuery(std::string_view(target).substr(question + 1));
  }

  query.fields = query.TakeText("fields").value_or("");
  query.order_by = query.TakeText("order_by").value_or("");
  query.names_ignore_unknown_fields = query.params.count("ignore_unknown_fields") != 0;
  query.ignore_unknown_fields = query.TakeFlag("ignore_unknown_fields", false);
  query.TakeFlag("pretty", false);
  if (query.params.count("return_records") != 0) {
    query.return_records = query.TakeFlag("return_records", true);
  }
  if (const auto seconds = query.TakeText("return_timeout")) {
    query.return_timeout_s =
        static_cast<int>(ToNumber("return_timeout", *seconds, kReturnTimeoutMax));
  }
  if (const auto records = query.TakeText("max_records")) {
    query.max_records = ToNumber("max_records", *records, 1'000'000);
    if (*query.max_records == 0) {
      Refuse(code::kBadQueryValue, "The value \"0\" is invalid for field \"max_records\"",
             "max_records");
    }
  }
  query.start_token = query.TakeText("start.token").value_or("");
  return query;
}

bool Query::TakeFlag(const std::string& name, bool fallback) {
  const auto text = TakeText(name);
  return text ? ToBool(name, *text) : fallback;
}

std::optional<std::string> Query::TakeText(const std::string& name) {
  const auto found = params.find(name);
  if (found == params.end()) return std::nullopt;
  std::string value = found->second;
  params.erase(found);
  return value;
}

}  // namespace ontapnvme::sim
