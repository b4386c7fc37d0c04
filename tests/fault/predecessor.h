// SPDX-License-Identifier: AGPL-3.0-or-later
// What the plugin that had this storage type before (package pve-storage-ontap-nvmetcp) does to an
// array, as far as its traces tell: no object carries a mark, a VM's group takes whatever belongs to the
// VM, what fails after the first step stays as it is. Its requests go past log and faults, and the
// array refuses it what it refuses everybody.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {

class Predecessor {
 public:
  // Registers a node of its own with the subsystem, which it makes if it is not there.
  explicit Predecessor(TestArray& array);

  // Its hooks, by Proxmox's names of volumes; a name that is not there fails the test.
  void Make(const std::string& volume, std::uint64_t size_kib = 1024);
  void Clone(const std::string& base, const std::string& volume);
  // Unmaps, deletes the namespace, then the FlexVol: which stays, empty, while clones hold it.
  void Free(const std::string& volume);
  void Rename(const std::string& volume, const std::string& new_name);
  // Returns the base image's name. Its snapshot is taken last, and may be missing.
  std::string CreateBase(const std::string& volume);
  void Resize(const std::string& volume, std::uint64_t size_bytes);
  // Of the group, and alone of those volumes that it does not hold.
  void Snapshot(const std::vector<std::string>& volumes, const std::string& name);
  void DeleteSnapshot(const std::vector<std::string>& volumes, const std::string& name);
  // By the group if its snapshot is of exactly its members, else alone. False: it refuses, because
  // disks have come or gone since.
  bool Rollback(const std::vector<std::string>& volumes, const std::string& name);
  // The volumes that it lists: those with a namespace, a linked clone behind its base image.
  std::set<std::string> List();

  // The steps, for what an interruption leaves.
  void MakeFlexVol(const std::string& volume, std::uint64_t size_kib);
  void MakeNamespace(const std::string& volume, std::uint64_t size_kib);
  void Map(const std::string& volume);
  void Unmap(const std::string& volume);
  void DeleteNamespace(const std::string& volume);
  void Join(const std::string& volume);
  void Leave(const std::string& volume);
  void SnapshotAlone(const std::string& volume, const std::string& array_name);
  // As its first releases had it: the array's schedule on the FlexVol, not on a group.
  void SetSnapshotPolicy(const std::string& volume, const std::string& policy);
  void Schedule(const std::string& volume, const std::string& snapshot);
  void DeleteBaseSnapshot(const std::string& base);

  // '-' and '.' become '_'.
  static std::string FlexVolOf(const std::string& volume);
  // The other way. What a saved state is called keeps its '_', also one that was none.
  static std::string VolumeOf(std::string flexvol);
  static std::string GroupOf(const std::string& volume);
  sim::Volume* FindFlexVol(const std::string& volume);
  sim::NvmeNamespace* FindNamespace(const std::string& volume);

 private:
  // Whether the array has taken it.
  bool Send(const std::string& method, const std::string& target, const nlohmann::json& body = {});
  void MustSend(const std::string& method, const std::string& target,
                const nlohmann::json& body = {});
  // Fails the test where there is none.
  sim::Volume& FlexVol(const std::string& volume);
  sim::NvmeNamespace& Namespace(const std::string& volume);
  sim::ConsistencyGroup* FindGroup(const std::string& volume);
  sim::GroupSnapshot* FindGroupSnapshot(const std::string& volume, const std::string& name);

  TestArray* array_;
  std::string last_;  // answer, for messages
};

}  // namespace ontapnvme::fault
