// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/cluster_members.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <sstream>

#include "base/files.h"
#include "base/text.h"

namespace ontapnvme::node {
namespace {

constexpr std::size_t kMembersMax = 64 * 1024;
constexpr std::size_t kNqnMax = 256;

bool IsNodeName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return IsAlphanumeric(c) || c == '-'; });
}

// Only what a cluster with quorum has agreed on counts, and only while this node is in it.
bool IsInDoubt(const std::optional<MemberList>& members) {
  return !members || !members->is_quorate || !members->is_online_by_name.at(members->own_name);
}

}  // namespace

std::optional<MemberList> MemberList::Parse(std::string_view text) {
  static const std::regex own(R"re("nodename": "([A-Za-z0-9-]+)",)re");
  static const std::regex cluster(R"re("cluster": \{.*"quorate": ([01]) *\},)re");
  static const std::regex node(
      R"re( *"([A-Za-z0-9-]+)": \{ "id": [0-9]+, "online": ([01])(, "ip": "[0-9A-Fa-f.:]*")?\},?)re");
  MemberList list;
  std::istringstream lines{std::string(text)};
  std::string line;
  std::smatch part;
  bool has_cluster = false;
  bool is_in_nodes = false;
  bool is_whole = false;
  while (std::getline(lines, line)) {
    if (is_whole) return std::nullopt;
    if (is_in_nodes && line == "  }") {
      is_whole = std::getline(lines, line) && line == "}";
      if (!is_whole) return std::nullopt;
    } else if (is_in_nodes) {
      if (!std::regex_match(line, part, node)) return std::nullopt;
      if (!list.is_online_by_name.emplace(part[1], part[2] == "1").second) return std::nullopt;
    } else if (line == R"("nodelist": {)") {
      is_in_nodes = true;
    } else if (std::regex_match(line, part, own)) {
      list.own_name = part[1];
    } else if (std::regex_match(line, part, cluster)) {
      has_cluster = true;
      list.is_quorate = part[1] == "1";
    }
  }
  const bool is_told = is_whole && has_cluster && list.is_online_by_name.contains(list.own_name);
  return is_told ? std::optional(std::move(list)) : std::nullopt;
}

std::optional<MemberList> ClusterMembers::Read() const {
  const auto text = ReadSmallFile(members_file_, kMembersMax);
  return text ? MemberList::Parse(*text) : std::nullopt;
}

Status ClusterMembers::TellNqn(const std::string& host_nqn) const {
  const auto members = Read();
  if (!members || hosts_directory_.empty()) return {};
  const std::string path = hosts_directory_ + "/" + members->own_name;
  // It is a file of the cluster: each writing goes to all nodes.
  if (ReadSmallFile(path, kNqnMax) == host_nqn + "\n") return {};
  ::mkdir(hosts_directory_.c_str(), 0700);
  return ReplaceSmallFile(path, host_nqn + "\n");
}

bool ClusterMembers::IsKnownDown(const std::string& host_nqn) const {
  const auto members = Read();
  if (IsInDoubt(members)) return false;
  bool is_told = false;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(hosts_directory_, failure)) {
    const std::string name = entry.path().filename();
    const auto nqn = ReadSmallFile(entry.path(), kNqnMax);
    // One that cannot be read may be that node's.
    if (!nqn) return false;
    if (!IsNodeName(name) || *nqn != host_nqn + "\n") continue;
    const auto found = members->is_online_by_name.find(name);
    if (found == members->is_online_by_name.end() || found->second) return false;
    is_told = true;
  }
  return is_told && !failure;
}

std::optional<std::map<std::string, std::string>> ClusterMembers::NqnsOfLeft() const {
  std::map<std::string, std::string> nqn_by_node;
  std::error_code failure;
  for (const auto& entry : std::filesystem::directory_iterator(hosts_directory_, failure)) {
    const std::string name = entry.path().filename();
    const auto nqn = ReadSmallFile(entry.path(), kNqnMax);
    if (!nqn) return std::nullopt;
    if (IsNodeName(name)) nqn_by_node[name] = nqn->substr(0, nqn->find('\n'));
  }
  const bool is_absent =
      hosts_directory_.empty() || failure == std::errc::no_such_file_or_directory;
  if (failure && !is_absent) return std::nullopt;
  std::map<std::string, std::string> left;
  if (nqn_by_node.empty()) return left;
  const auto members = Read();
  if (IsInDoubt(members)) return std::nullopt;
  for (const auto& [node, nqn] : nqn_by_node) {
    if (!members->is_online_by_name.contains(node)) left[nqn] = node;
  }
  for (const auto& [node, nqn] : nqn_by_node) {
    if (members->is_online_by_name.contains(node)) left.erase(nqn);
  }
  return left;
}

}  // namespace ontapnvme::node
