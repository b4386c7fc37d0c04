// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/lvm_filter.h"

#include <algorithm>
#include <regex>
#include <sstream>

#include "pve/small_file.h"

namespace ontapnvme::pve {
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

// `pattern` as LVM has it: r or a, a delimiter, an expression, the delimiter.
bool RejectsGuestDisks(const std::string& pattern) {
  if (pattern.size() < 3 || pattern.front() != 'r') return false;
  const std::string expression = pattern.substr(2, pattern.size() - 3);
  return expression == ".*" || expression.find("by-ontapnvme") != std::string::npos ||
         expression.find("/nvme") != std::string::npos;
}

}  // namespace

bool KeepsLvmOut(const std::string& lvm_conf) {
  static const std::regex kDevicesFile(R"(\buse_devicesfile\s*=\s*1\b)");
  static const std::regex kFilter(R"(\b(?:global_)?filter\s*=\s*(\[[^\]]*\]|"[^"]*"))");
  static const std::regex kQuoted(R"re("([^"]*)")re");
  const std::string text = WithoutComments(lvm_conf);
  if (std::regex_search(text, kDevicesFile)) return true;
  for (std::sregex_iterator filter(text.begin(), text.end(), kFilter), end; filter != end;
       ++filter) {
    const std::string value = (*filter)[1];
    const std::sregex_iterator first(value.begin(), value.end(), kQuoted);
    if (std::any_of(first, {}, [](const auto& one) { return RejectsGuestDisks(one[1]); })) {
      return true;
    }
  }
  return false;
}

std::string LvmWarning(const std::string& lvm_config_file) {
  const auto text = ReadSmallFile(lvm_config_file, kFileMax);
  if (!text || KeepsLvmOut(*text)) return "";
  return "the LVM of this node looks into the disks of guests: add \"r|" +
         std::string(kLvmHiddenLinks) + ".*|\" to global_filter in the section devices of '" +
         lvm_config_file + "'";
}

}  // namespace ontapnvme::pve
