// SPDX-License-Identifier: AGPL-3.0-or-later
// Everything the simulated cluster is made of, with the look-ups that several resources share.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "objects.h"
#include "settings.h"

namespace ontapnvme::sim {

using Clock = std::function<Time()>;

class World {
 public:
  // The stores and the clock are borrowed and must outlive the world. Equal seeds give equal uuids;
  // 0 takes a seed from the machine.
  World(BlockStore* blocks, Fabric* fabric, Clock clock, std::uint64_t seed);

  Settings settings;
  std::string cluster_uuid;
  std::string cluster_name = "sim";
  std::vector<Node> nodes;
  std::vector<Account> accounts;
  Table<Aggregate> aggregates;
  Table<Svm> svms;
  Table<Lif> lifs;
  Table<QosPolicy> qos_policies;
  Table<SnapshotPolicy> snapshot_policies;
  Table<Volume> volumes;
  Table<QueuedVolume> recovery_queue;
  Table<NvmeNamespace> namespaces;
  Table<Lun> luns;
  Table<Snapshot> snapshots;
  Table<Subsystem> subsystems;
  Table<ConsistencyGroup> groups;
  Table<GroupSnapshot> group_snapshots;

  BlockStore& blocks() const { return *blocks_; }
  Fabric& fabric() const { return *fabric_; }
  Time Now() const { return clock_(); }
  std::string NewUuid();
  std::string NewHex(std::size_t digits);
  std::string NewSerial(std::size_t characters);

  Svm* FindSvm(const std::string& name);
  Aggregate* FindAggregate(const std::string& name);
  Node* FindNode(const std::string& name);
  Volume* FindVolume(const std::string& svm_uuid, const std::string& name);
  Subsystem* FindSubsystem(const std::string& svm_uuid, const std::string& name);
  // By "/vol/<volume>/<base name>".
  NvmeNamespace* FindNamespace(const std::string& svm_uuid, const std::string& path);
  Snapshot* FindSnapshot(const std::string& volume_uuid, const std::string& name);
  QosPolicy* FindQosPolicy(const std::string& svm_uuid, const std::string& name);
  SnapshotPolicy* FindSnapshotPolicy(const std::string& svm_uuid, const std::string& name);
  ConsistencyGroup* FindGroup(const std::string& svm_uuid, const std::string& name);
  ConsistencyGroup* GroupOf(const std::string& volume_uuid);

  std::vector<NvmeNamespace*> NamespacesOf(const std::string& volume_uuid);
  std::vector<Snapshot*> SnapshotsOf(const std::string& volume_uuid);       // oldest first
  std::vector<std::string> ClonesOf(const std::string& volume_uuid) const;  // names, unsplit ones
  bool HasClone(const std::string& snapshot_uuid);
  // How far the split of a FlexClone has come, in per cent; nothing: it has not begun.
  std::optional<int> SplitPercent(const Volume& clone) const;
  // What has been split for long enough is a FlexClone no more.
  void FinishSplits();
  // What has moved for long enough is on its new aggregate.
  int MovePercent(const Movement& movement) const;
  void FinishMoves();

  std::string PathOf(const NvmeNamespace& ns) const;
  std::string SvmOf(const NvmeNamespace& ns) const;  // its uuid
  bool IsMapped(const std::string& volume_uuid);

  // Space. A volume uses what its namespaces hold, or all of it when it is thick.
  std::uint64_t UsedBytes(const Volume& volume);
  std::uint64_t FootprintBytes(const Volume& volume);
  std::uint64_t AggregateUsedBytes(const Aggregate& aggregate);
  std::uint64_t AggregateAvailableBytes(const Aggregate& aggregate);
  std::uint64_t SvmAllocatedBytes(const Svm& svm);

  // A namespace as the fabric shows it to hosts; and all of a volume anew, after it was renamed or
  // moved.
  TargetNamespace TargetOf(const NvmeNamespace& ns) const;
  void Republish(const Volume& volume);

  // Unmaps and removes; bytes included.
  void RemoveNamespace(const std::string& uuid);
  void Unmap(NvmeNamespace* ns);
  // The same bytes in another namespace, at the same path.
  NvmeNamespace& Renew(const std::string& uuid);
  // Removes it everywhere, from its group and with its snapshots.
  void DestroyVolumeContents(const std::string& volume_uuid);
  void LeaveGroup(const std::string& volume_uuid);
  // The volume is about to be deleted.
  void LeaveGroupDeleted(const Volume& volume);
  bool HasLivingMembers(const ConsistencyGroup& group) const;
  void RemoveSnapshot(const std::string& uuid);

  // What was made so lately is not listed; see switch late_listing_ms.
  bool IsListed(Time create_time) const;
  bool IsFoundByUuid(Time create_time) const;
  void BringClonesOnline();

  // Strings of the form the array uses.
  static std::string Timestamp(Time time);
  static std::string HttpDate(Time time);  // RFC 9110, 5.6.7
  nlohmann::json SvmReference(const std::string& svm_uuid) const;
  nlohmann::json NodeReference(const std::string& name) const;

  // One line per object that a crash or a bug left half-made; see the control command `orphans`.
  std::vector<std::string> Orphans();

 private:
  bool IsWaitingToGo(const std::string& volume_uuid);

  BlockStore* blocks_;
  Fabric* fabric_;
  Clock clock_;
  std::mt19937_64 random_;
};

}  // namespace ontapnvme::sim
