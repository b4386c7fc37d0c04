// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/lvm_filter.h"

#include <algorithm>
#include <cctype>
#include <sstream>
#include <string_view>
#include <vector>

#include "base/files.h"

namespace ontapnvme::node {
namespace {

constexpr std::size_t kFileMax = 1024 * 1024;

std::string WithoutComments(const std::string& text) {
  std::istringstream lines(text);
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    bool is_quoted = false;
    for (const char c : line) {
      if (c == '"') is_quoted = !is_quoted;
      if (c == '#' && !is_quoted) break;
      kept += c;
    }
    kept += '\n';
  }
  return kept;
}

struct Setting {
  std::string key;
  std::vector<std::string> values;  // at least one
};

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// The values behind `at`: those of a list in brackets, a text in quotes, or one word.
std::vector<std::string> ReadValues(std::string_view text, std::size_t at) {
  at = std::min(text.find_first_not_of(" \t", at), text.size());
  const bool is_list = text.substr(at, 1) == "[";
  std::vector<std::string> values;
  while (at < text.size()) {
    const std::size_t quote = text.find_first_of(is_list ? "\"]" : "\"\n}", at);
    if (quote == text.npos || text[quote] != '"') break;
    const std::size_t end = std::min(text.find('"', quote + 1), text.size());
    values.emplace_back(text.substr(quote + 1, end - quote - 1));
    if (!is_list) return values;
    at = end + 1;
  }
  if (values.empty()) {
    std::size_t end = at;
    while (end < text.size() && IsWordCharacter(text[end])) ++end;
    values.emplace_back(text.substr(at, end - at));
  }
  return values;
}

// Every "key = value", whichever section it is in. By hand: the standard library's regular
// expressions need a stack as deep as the text is long.
std::vector<Setting> ReadSettings(std::string_view text) {
  std::vector<Setting> settings;
  for (std::size_t at = text.find('='); at != text.npos; at = text.find('=', at + 1)) {
    std::size_t end = at;
    while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\t')) --end;
    std::size_t begin = end;
    while (begin > 0 && IsWordCharacter(text[begin - 1])) --begin;
    settings.push_back({std::string(text.substr(begin, end - begin)), ReadValues(text, at + 1)});
  }
  return settings;
}

// `pattern` as LVM has it: r or a, a delimiter, an expression, the delimiter.
bool RejectsGuestDisks(const std::string& pattern) {
  if (pattern.size() < 3 || pattern.front() != 'r') return false;
  const std::string expression = pattern.substr(2, pattern.size() - 3);
  return expression == ".*" || expression.find("by-ontapnvme") != std::string::npos ||
         expression.find("/nvme") != std::string::npos;
}

}  // namespace

bool KeepsLvmOut(const std::string& lvm_conf) {
  const auto settings = ReadSettings(WithoutComments(lvm_conf));
  return std::any_of(settings.begin(), settings.end(), [](const Setting& one) {
    if (one.key == "use_devicesfile") return one.values.front() == "1";
    if (one.key != "filter" && one.key != "global_filter") return false;
    return std::any_of(one.values.begin(), one.values.end(), RejectsGuestDisks);
  });
}

std::string LvmWarning(const std::string& lvm_config_file) {
  const auto text = ReadSmallFile(lvm_config_file, kFileMax);
  if (!text || KeepsLvmOut(*text)) return "";
  return "the LVM of this node scans the disks of guests: add \"r|" + std::string(kLvmHiddenLinks) +
         ".*|\" to global_filter in the section 'devices' of '" + lvm_config_file + "'";
}

}  // namespace ontapnvme::node
