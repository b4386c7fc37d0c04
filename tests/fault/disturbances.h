// SPDX-License-Identifier: AGPL-3.0-or-later
// What goes wrong on a bad day: several things at once, each for some operations. The array answers
// less than it has, or not, or late; administrators rename; scanners hold devices.
#pragma once

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "fault/proxmox_cluster.h"

namespace ontapnvme::fault {

class Disturbances {
 public:
  // Both are borrowed.
  Disturbances(TestArray& array, std::mt19937& random) : array_(&array), random_(&random) {}

  // Before each operation of the cluster: some begin, some end.
  void Next(ProxmoxCluster& cluster);
  // All are over.
  void End();
  bool Any() const { return !active_.empty(); }
  std::string Describe() const;

 private:
  struct Disturbance {
    std::string name;
    nlohmann::json rule = {};  // null: it is no fault of the array's answers
    int operations_left = 1;
    std::function<void()> end = [] {};
  };

  std::size_t Below(std::size_t end) { return (*random_)() % end; }
  template <typename T>
  const T& AnyOf(const std::vector<T>& all) {
    return all[Below(all.size())];
  }
  Disturbance Draw(ProxmoxCluster& cluster);
  Disturbance DrawAnswer();
  Disturbance DrawListing();
  Disturbance RenameOnArray(ProxmoxCluster& cluster);
  Disturbance HoldDevice(ProxmoxCluster& cluster);
  void Patch(const std::string& volume_uuid, const nlohmann::json& body);

  TestArray* array_;
  std::mt19937* random_;
  std::vector<Disturbance> active_;
};

}  // namespace ontapnvme::fault
