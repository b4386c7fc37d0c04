// SPDX-License-Identifier: AGPL-3.0-or-later
// What the disks of a VM go through between their first and their last day, as Proxmox drives it:
// each step is a task, that is a process, of its own.
#pragma once

#include <string>
#include <vector>

#include "fakes/temporary_folder.h"
#include "fault/storage_rig.h"

namespace ontapnvme::world {

class Life {
 public:
  explicit Life(fault::TestArray& array, fault::RigOptions options = {});

  // The storage is added, the same VMID lives three times, a template serves two VMs, and in the end
  // nothing of the storage is left on the array. Stops at the first failed expectation.
  void Live();

  // Everything of ours on the array, one line an object. A volume in the recovery queue is the
  // array's.
  std::vector<std::string> Remains();
  // As the array does when they have waited long enough.
  void EmptyRecoveryQueue();

 private:
  using Disks = std::vector<std::string>;

  pve::Storage& storage() { return rig_.storage(); }
  void NextTask();
  // What is refused while deleted clones hold it, and works when they are gone.
  void MustEndWithTheQueue(const std::string& what, const std::function<Status()>& change);
  void Must(const std::string& what, const Status& status);

  Disks Create(std::uint64_t vmid);
  void Snapshot(const Disks& disks, const std::string& name);
  void DeleteSnapshot(const Disks& disks, const std::string& name);
  void RollBack(const Disks& disks, const std::string& name);
  // To a snapshot that has newer ones. False: this array does not do it, and nothing has changed.
  bool RollBackPast(const Disks& disks, const std::string& name);
  void BackAndForth(const Disks& disks);
  void Grow(const std::string& disk);
  // A disk that gets a QoS policy and loses it again when the setting goes, and one that is as large
  // as disks may be.
  void ChangeQosPolicy(std::uint64_t vmid);
  void HaveALargeDisk(std::uint64_t vmid);
  void CloneSnapshot(const std::string& disk, const std::string& snapshot);
  void ShowSnapshot(const std::string& disk, const std::string& snapshot);
  void GiveAway(const std::string& disk, std::uint64_t vmid);
  void Free(const std::string& disk);
  void LiveOnce(std::uint64_t vmid);
  void ServeAsTemplate(std::uint64_t vmid);
  void CleanUp();

  fault::TestArray* array_;
  fakes::TemporaryFolder memory_;
  fault::StorageRig rig_;
};

}  // namespace ontapnvme::world
