// SPDX-License-Identifier: AGPL-3.0-or-later
// A subsystem of the target: whom it lets in, and what it holds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "exported_namespace.h"

namespace ontapnvme::sim::target {

inline constexpr unsigned kNamespacesMaximum =
    1024;  // also the entries of a changed-namespace list
inline constexpr unsigned kAnaGroupsMaximum = 16;
inline constexpr std::uint32_t kEveryNamespace = 0xFFFFFFFF;  // as an NSID

struct Subsystem {
  std::string nqn;
  std::string serial;
  std::string firmware;
  std::set<std::string> host_nqns;
  std::map<unsigned, std::unique_ptr<ExportedNamespace>> namespaces;  // by NSID
  std::uint16_t last_controller_id = 0;

  const ExportedNamespace* Find(unsigned nsid) const {
    const auto found = namespaces.find(nsid);
    return found == namespaces.end() ? nullptr : found->second.get();
  }
};

// One ANA group a node of the cluster, in the order in which the nodes become known: the namespaces
// on its aggregates. A path over the node's own portal is optimized, the others are not.
class AnaGroups {
 public:
  // From 1 on. Adds the node when it is new; throws std::invalid_argument beyond the maximum.
  unsigned Of(const std::string& node_name);
  std::size_t size() const { return numbers_.size(); }
  // Grows with every change that hosts should know of.
  std::uint64_t changes = 0;

 private:
  std::map<std::string, unsigned> numbers_;
};

}  // namespace ontapnvme::sim::target
