// SPDX-License-Identifier: AGPL-3.0-or-later
// A Proxmox cluster as an operator knows it: nodes that do things to the disks of some VMs, and a
// model of what must be there afterwards. Operations are drawn by a seed; only what Proxmox would
// let through is drawn.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fakes/temporary_folder.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {

struct Disk {
  std::string content;
  std::uint64_t size_bytes = 1048576;
  bool is_base = false;
  bool is_protected = false;
  std::string parent;  // base image, or volume@snapshot
};

struct Shot {
  std::string name;
  std::map<std::string, Disk> disks;  // as they were
};

struct Model {
  std::map<std::string, Disk> disks;                 // by volume name
  std::map<std::uint64_t, std::vector<Shot>> shots;  // by VM, oldest first
};

// Something to do. `run` may be run again, perhaps on another node; `apply` tells the model what it
// has done.
struct ModelOperation {
  std::string name;             // empty: nothing of the kind can be done now
  std::set<std::uint64_t> vms;  // whose disks may be another's, or gone, when it failed
  std::function<Status()> run = {};
  std::function<void(Model&)> apply = [](Model&) {};
};

class ProxmoxCluster {
 public:
  struct Shape {
    std::string cluster_id = RigOptions().cluster_id;
    int nodes = 1;
    std::uint64_t vms = 3;  // from VM 100 on
  };
  // `array` and `random` are borrowed.
  ProxmoxCluster(TestArray& array, std::mt19937& random, const Shape& shape);

  // The node that works from now on.
  StorageRig& node() { return *nodes_[current_]; }
  std::size_t current() const { return current_; }
  void GoTo(std::size_t node) { current_ = node; }
  std::vector<std::unique_ptr<StorageRig>>& nodes() { return nodes_; }
  const Model& model() const { return model_; }

  // `step` makes names unique. Seldom there is nothing that could be done.
  ModelOperation DrawOperation(int step);
  void Apply(const ModelOperation& operation) { operation.apply(model_); }
  // New disks get content of their own; sometimes a guest writes to another one.
  void LetGuestsWrite(int step);
  // A disk that is neither a base image nor of a resting VM; empty: there is none.
  std::string DrawOrdinary();

  // VMs of which nobody knows what an operation has done to them: nothing more is done to them.
  void Rest(const ModelOperation& operation) {
    resting_.insert(operation.vms.begin(), operation.vms.end());
  }
  void WakeAll() { resting_.clear(); }
  // What an administrator of the array has renamed for a while.
  void Hide(const std::string& name) { hidden_.insert(name); }
  void Unhide(const std::string& name) { hidden_.erase(name); }

  // An hour later somebody makes a disk and deletes it, on every node.
  void Recover();
  // What the array holds, by its own objects, as nothing of the storage can see wrongly.
  void CompareWithArray();
  // After a failure: what was before, or what was asked for.
  void ExpectBeforeOrAfter(const ModelOperation& operation);
  // What the storage says there is.
  void CompareWithStorage();
  // Rolls back to every snapshot that can be rolled back to, and deletes it, the last one first.
  void ExpectSnapshotsHoldTheirBytes();
  // Backups end: no snapshot is shown as a device any more, unless a node forgot it when it started
  // anew.
  void HideSnapshots();
  // Whether a snapshot may still be one: it cannot be deleted then, nor its disk.
  bool MayShowSnapshots() const { return may_show_snapshots_; }
  std::set<std::string> FlexVols();

 private:
  pve::Storage& storage() { return node().storage(); }
  std::size_t Below(std::size_t end) { return (*random_)() % end; }
  std::uint64_t AnyVmid() { return 100 + Below(vms_); }
  bool IsResting(std::uint64_t vmid) const { return resting_.contains(vmid); }

  // ---- what may be done to what, as Proxmox sees to it
  bool IsHeld(const std::string& what) const;
  bool IsHeld(const Shot& shot) const;
  bool IsInShot(const std::string& disk) const;
  std::string Draw(const std::function<bool(const std::string&, const Disk&)>& is_wanted);
  std::string DrawLoose();
  // A VM's last snapshot, or none.
  std::pair<std::uint64_t, const Shot*> DrawLastShot();

  ModelOperation DrawKind(int step);
  ModelOperation Allocate(int step);
  ModelOperation Free();
  ModelOperation CloneOf(const std::string& source, const std::string& snapshot, const Disk& as);
  ModelOperation Clone();
  ModelOperation CreateBase();
  ModelOperation Rename(int step);
  ModelOperation Resize();
  ModelOperation Protect();
  ModelOperation Show();
  ModelOperation Snapshot(int step);
  ModelOperation DeleteSnapshot(std::uint64_t vmid, const Shot& shot);
  ModelOperation DrawDeleteSnapshot();
  ModelOperation Rollback();
  ModelOperation ShowSnapshot();

  Status RollBackTo(const Shot& shot);
  // What the link leads to is the disk, or the snapshot, that it names.
  void ExpectShown(const std::string& leaf, const Disk& disk);
  std::set<std::string> Listed(std::uint64_t vmid);

  TestArray* array_;
  std::mt19937* random_;
  std::uint64_t vms_;
  fakes::TemporaryFolder memory_;
  std::vector<std::unique_ptr<StorageRig>> nodes_;
  std::size_t current_ = 0;
  Model model_;
  std::set<std::uint64_t> resting_;
  std::set<std::string> hidden_;
  bool may_show_snapshots_ = false;
};

}  // namespace ontapnvme::fault
