// SPDX-License-Identifier: AGPL-3.0-or-later
// The objects of the simulated cluster. Plain values; rules live with the resources.
#pragma once

#include <chrono>
#include <cstdint>
#include <iterator>
#include <list>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "data_plane.h"

namespace ontapnvme::sim {

using Time = std::chrono::system_clock::time_point;

struct Node {
  std::string uuid;
  std::string name;
};

struct Aggregate {
  std::string uuid;
  std::string name;
  std::string node_name;
  std::uint64_t size_bytes = 0;
  std::uint64_t foreign_used_bytes = 0;  // used by what this simulator does not model
  bool is_encrypted = false;             // NAE
  bool is_fabric_pool = false;
  std::string state = "online";
};

struct Lif {
  std::string uuid;
  std::string name;
  std::string svm_uuid;
  std::string address;
  std::string node_name;
  std::string home_node_name;
  std::vector<std::string> services;
  bool is_enabled = true;
  bool is_up = true;

  bool CarriesNvme() const;
};

struct Svm {
  std::string uuid;
  std::string name;
  std::string nqn_hex;  // of all its subsystems
  std::string state = "running";
  bool is_nvme_allowed = true;
  bool has_nvme_service = false;
  bool is_nvme_enabled = false;
  std::vector<std::string> aggregate_names;
  std::optional<std::uint64_t> storage_limit_bytes;
};

struct Account {
  std::string name;
  std::string password;
  std::string svm_name;             // empty: the whole cluster
  std::vector<std::string> denied;  // "METHOD /api/path", regular expressions over both together
};

struct QosPolicy {
  std::string uuid;
  std::string name;
  std::string svm_uuid;
  std::string policy_class = "user_defined";
  nlohmann::json limits;  // {"fixed": …} or {"adaptive": …}
  bool IsAdaptive() const { return limits.contains("adaptive"); }
};

struct SnapshotPolicy {
  std::string uuid;
  std::string name;
  std::string svm_uuid;  // empty: cluster scope
  nlohmann::json copies = nlohmann::json::array();
};

struct Autosize {
  std::string mode = "off";
  std::uint64_t maximum_bytes = 0;
  std::uint64_t minimum_bytes = 0;
  std::int64_t grow_threshold = 85;
  std::int64_t shrink_threshold = 50;
};

struct CloneParent {
  std::string volume_uuid;
  std::string volume_name;  // as it was; the parent may be renamed later
  std::string snapshot_uuid;
  std::string snapshot_name;
  std::optional<Time> split_since;  // the array copies what it shares with its parent
};

// A volume on its way to another aggregate.
struct Movement {
  std::string aggregate_uuid;
  Time since;
  bool has_failed = false;  // where a test says so
};

struct Volume {
  std::string uuid;
  std::string name;
  std::string svm_uuid;
  std::string aggregate_uuid;
  std::string comment;
  std::string state = "online";
  Time create_time;
  std::uint64_t size_bytes = 0;
  std::uint64_t bytes_in_snapshots = 0;  // that its snapshots hold besides, where a test says so
  bool is_thick = true;
  std::int64_t snapshot_reserve_percent = 5;
  std::int64_t fractional_reserve = 100;
  Autosize autosize;
  std::string tiering_policy;
  std::optional<std::int64_t> min_cooling_days;
  std::string encryption_type = "none";  // none, volume, aggregate
  std::string qos_policy_uuid;
  nlohmann::json inline_qos;  // max_throughput_iops …, when no policy is named
  std::string snapshot_policy_uuid;
  std::vector<std::string> tags;
  std::optional<CloneParent> clone;
  std::optional<Movement> movement;
  bool is_svm_root = false;
  std::optional<Time> online_time;                   // of a clone that is not online yet
  std::optional<Time> busy_until;                    // see switch volume_busy_s
  nlohmann::json extras = nlohmann::json::object();  // settings that no rule here depends on
};

// A deleted volume that can still be recovered; `volume.name` carries the suffix.
struct QueuedVolume {
  std::string uuid;
  Volume volume;
  std::string name_before;
  Time deletion_time;
};

struct NvmeNamespace {
  std::string uuid;
  std::string nguid;
  std::string volume_uuid;
  std::string base_name;
  std::string comment;
  std::string os_type = "linux";
  std::uint64_t size_bytes = 0;
  std::int64_t block_size = 4096;
  bool is_auto_delete = false;
  Time create_time;
  std::string subsystem_uuid;  // empty: not mapped
  unsigned nsid = 0;
};

// No more of it than becoming a namespace takes; its bytes are kept under its UUID. Snapshots and clones of
// its volume know nothing of it.
struct Lun {
  std::string uuid;
  std::string volume_uuid;
  std::string base_name;
  std::string comment;
  std::string os_type = "linux";
  std::uint64_t size_bytes = 0;
  bool is_mapped = false;
  bool has_streams = false;  // bytes before and behind those that hosts see
  Time create_time;
};

// Bytes of one namespace at one moment. Snapshots share it (a FlexClone inherits its parent's), the
// last owner drops it.
class SavedImage {
 public:
  SavedImage(BlockStore* store, std::string id) : store_(store), id_(std::move(id)) {}
  ~SavedImage() { store_->DropImage(id_); }
  SavedImage(const SavedImage&) = delete;
  SavedImage& operator=(const SavedImage&) = delete;
  const std::string& id() const { return id_; }

 private:
  BlockStore* store_;
  std::string id_;
};

struct SavedNamespace {
  NvmeNamespace ns;  // as it was
  std::shared_ptr<const SavedImage> image;
};

struct Snapshot {
  std::string uuid;
  std::string name;
  std::string volume_uuid;
  std::string comment;
  std::string expiry_time;
  std::string snapmirror_label;
  std::string version_uuid;
  Time create_time;
  std::vector<SavedNamespace> contents;
  bool is_clone_base = false;     // inherited by a FlexClone from its parent, held until the split
  bool is_of_protection = false;  // taken against ransomware, whatever it is called by now
};

struct SubsystemHost {
  std::string nqn;
  std::string priority = "regular";
  std::string host_secret;
  std::string controller_secret;
  std::string hash_function;
  std::string group_size;
  std::string tls_key_type = "none";
  std::string tls_psk;
};

struct Subsystem {
  std::string uuid;
  std::string name;
  std::string svm_uuid;
  std::string comment;
  std::string os_type;
  std::string serial_number;
  std::string target_nqn;
  bool is_delete_on_unmap = false;
  std::vector<std::string> vendor_uuids;
  std::vector<SubsystemHost> hosts;
  nlohmann::json controllers = nlohmann::json::array();  // live connections, as told by a test
};

struct ConsistencyGroup {
  std::string uuid;
  std::string name;
  std::string svm_uuid;
  std::string snapshot_policy_uuid;
  std::vector<std::string> tags;
  std::vector<std::string> volume_uuids;
  std::map<std::string, std::string> deleted_names;  // of members that were deleted, by uuid
};

struct GroupSnapshotMember {
  std::string volume_uuid;
  std::string volume_name;
  std::string snapshot_uuid;
};

struct GroupSnapshot {
  std::string uuid;
  std::string name;
  std::string group_uuid;
  std::string comment;
  std::string consistency_type = "crash";
  std::string snapmirror_label;
  bool has_write_fence = false;
  Time create_time;
  bool is_invalid = false;  // a member left the group since
  std::vector<GroupSnapshotMember> members;
};

// Objects of one kind in order of creation, found by uuid. References stay valid until erased.
template <class T>
class Table {
 public:
  T& Add(T object) {
    objects_.push_back(std::move(object));
    index_[objects_.back().uuid] = {std::prev(objects_.end()), ++added_};
    return objects_.back();
  }
  T* Find(const std::string& uuid) {
    const auto found = index_.find(uuid);
    return found == index_.end() ? nullptr : &*found->second.where;
  }
  const T* Find(const std::string& uuid) const {
    const auto found = index_.find(uuid);
    return found == index_.end() ? nullptr : &*found->second.where;
  }
  // Grows with every object added; what listings are ordered and continued by.
  std::uint64_t Order(const std::string& uuid) const {
    const auto found = index_.find(uuid);
    return found == index_.end() ? 0 : found->second.order;
  }
  void Erase(const std::string& uuid) {
    const auto found = index_.find(uuid);
    if (found == index_.end()) return;
    objects_.erase(found->second.where);
    index_.erase(found);
  }
  void Clear() {
    index_.clear();
    objects_.clear();
  }
  std::size_t size() const { return objects_.size(); }
  auto begin() { return objects_.begin(); }
  auto end() { return objects_.end(); }
  auto begin() const { return objects_.begin(); }
  auto end() const { return objects_.end(); }

 private:
  struct Entry {
    typename std::list<T>::iterator where;
    std::uint64_t order;
  };

  std::list<T> objects_;
  std::unordered_map<std::string, Entry> index_;
  std::uint64_t added_ = 0;
};

}  // namespace ontapnvme::sim
