// SPDX-License-Identifier: AGPL-3.0-or-later
// What Proxmox's cluster says of its nodes, by the NQNs that the array knows them by. A node tells the
// others its own in a file that all see.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace ontapnvme::node {

// "/etc/pve/.members", as pmxcfs writes it (pve-cluster, status.c, cfs_create_memberlist_msg). Not a
// parser of JSON: whatever differs from that form is no answer.
struct MemberList {
  std::string own_name;
  bool is_quorate = false;
  std::map<std::string, bool> is_online_by_name;

  static std::optional<MemberList> Parse(std::string_view text);
};

class ClusterMembers {
 public:
  // Empty: nothing is known of any node.
  ClusterMembers(std::string members_file, std::string hosts_directory)
      : members_file_(std::move(members_file)), hosts_directory_(std::move(hosts_directory)) {}

  // Tells the other nodes this one's NQN. Idempotent.
  Status TellNqn(const std::string& host_nqn) const;
  // Whether the cluster has agreed that every node that has told this NQN is down. False for what it
  // does not know: an NQN of no node, a node that is no member any more, a cluster without quorum.
  bool IsKnownDown(const std::string& host_nqn) const;
  // The NQNs told by nodes that are no members any more, and by no other node, each with the name of its
  // node. Nothing: that is not known, since the cluster has no quorum, or not all can be read.
  std::optional<std::map<std::string, std::string>> NqnsOfLeft() const;

 private:
  std::optional<MemberList> Read() const;

  std::string members_file_;
  std::string hosts_directory_;
};

}  // namespace ontapnvme::node
