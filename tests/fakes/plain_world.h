// SPDX-License-Identifier: AGPL-3.0-or-later
// What is on an array for tests that keeps one object a disk: in memory, with a short text as each
// disk's content, so that snapshots, restores and clones are checked by what they hold. A test fills
// it, breaks it, and looks into it; the ports to it are PlainArray's.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"
#include "catalogue/records.h"
#include "model/mark.h"
#include "model/storage_types.h"

namespace ontapnvme::fakes {

struct PlainSnapshot {
  catalogue::Snapshot record;
  std::string content;
};

// From which snapshot a clone was made.
struct PlainOrigin {
  Uuid disk;
  Uuid snapshot;
};

// A disk, whole or half-made, or the device that shows a snapshot.
struct PlainDisk {
  VolumeName name;  // means nothing for a snapshot device
  Uuid uuid;        // of the only object that it is: container and namespace in one
  std::string comment;
  ByteCount size;
  std::string content;
  catalogue::Mapping mapping = catalogue::Mapping::kHere;  // never kUnread
  std::string mapped_to = {};
  std::vector<PlainSnapshot> snapshots = {};  // oldest first
  std::optional<PlainOrigin> origin = std::nullopt;
  std::optional<catalogue::ShownSnapshot> shown = std::nullopt;
  bool is_whole = true;             // false: an interrupted operation left it without content
  bool is_held_by_deleted = false;  // deleted clones hold it
  bool is_deferred = false;         // its removal was deferred: out of sight
  bool is_near_ceiling = false;
  std::optional<Error> fault = std::nullopt;
  std::chrono::sys_seconds create_time{};

  std::string ContainerName() const;
};

// The rule for the names of disks.
std::string PlainContainerName(const VolumeName& name);
// As an array answers: what callers decide by is the refusal.
Error Refused(ErrorCode code, std::string sentence, Refusal refusal);
Error Gone(const std::string& name);
// To the second, as arrays say it.
std::chrono::sys_seconds SecondsNow(const Deadline& deadline);

class PlainWorld {
 public:
  // ---- what a test sets before, and between, calls

  Marker marker{"cluster-a", "tank"};
  catalogue::FabricTarget target{
      "nqn.1992-08.com.netapp:sn.1:subsystem.pve", {"192.0.2.1", "192.0.2.2"}, ""};
  std::string subsystem = "pve";
  std::vector<catalogue::HostConnection> connections;
  CapacityInfo capacity{GiB(100), GiB(60), GiB(40)};
  std::optional<ByteCount> used_on_svm;
  // Each call fails with it, and only what is remembered is answered.
  std::optional<Error> silence;
  // Whether the ordinary disks of a VM are snapshot and restored together.
  bool has_groups = false;
  // Whether disks can be overwritten, and whether callers know when they cannot.
  bool can_overwrite = true;
  bool is_refusal_known = false;
  // So many names of new or renamed disks are taken by somebody else at the last moment.
  int names_to_lose = 0;

  // Whole, mapped, marked as ours and made long ago. The name may have a base part.
  PlainDisk& AddDisk(std::string_view name, std::string content = "", ByteCount size = GiB(1));
  PlainDisk& AddHalfMade(std::string_view name);
  // Of another cluster.
  PlainDisk& AddForeign(std::string_view name);
  // Those of one name are of one operation.
  void AddSnapshot(std::string_view name, std::string_view array_name,
                   std::chrono::sys_seconds time);

  // The next call of that name fails: before it did anything, or after it did everything. Calls are
  // named like the methods of the ports, those of SnapshotStore that have a namesake in DiskStore
  // "ListSnapshots" and "DeleteSnapshot".
  enum class Effect { kNone, kDone };
  void FailNext(const std::string& call, Error error, Effect effect = Effect::kNone);
  // What happens while the next call of that name is on its way: time passes, a signal arrives.
  void DuringNext(const std::string& call, std::function<void()> happens) {
    meanwhile_[call] = std::move(happens);
  }

  // What happens when the next call of that name is carried out and its answer is not read yet.
  void AfterNext(const std::string& call, std::function<void()> happens) {
    afterwards_[call] = std::move(happens);
  }

  std::list<PlainDisk> deleted;                // that can be brought back
  std::map<std::string, PlainDisk> strangers;  // that can be adopted, by their paths

  // ---- what a test looks at

  // What is ours, or unmarked; null when it is not there.
  PlainDisk* Disk(std::string_view name);
  const std::list<PlainDisk>& all() const { return disks_; }
  std::vector<std::string> SnapshotsOf(std::string_view name);
  // "Make vm-100-disk-0", in order, since the last call of this.
  std::vector<std::string> TakeCalls() { return std::exchange(calls_, {}); }
  int registered_anew = 0;
  bool is_forgotten = false;
  std::set<std::string> registered_hosts;

  // ---- for the ports

  template <typename Answer, typename Body>
  Answer Run(const std::string& call, const std::string& object, const Deadline& deadline,
             Body body) {
    calls_.push_back(object.empty() ? call : call + " " + object);
    if (const auto happens = std::exchange(meanwhile_[call], nullptr)) happens();
    if (silence) return *silence;
    if (auto stopped = deadline.Check("asking the array"); !stopped.ok()) return stopped.error();
    const auto fault = TakeFault(call);
    if (fault && fault->effect == Effect::kNone) return fault->error;
    Answer answer = body();
    if (const auto happens = std::exchange(afterwards_[call], nullptr)) happens();
    if (fault) return fault->error;
    return answer;
  }

  bool IsForeign(const PlainDisk& disk) const;
  // The disks of the group that the volume is in; none without groups.
  std::vector<PlainDisk*> GroupOf(const VolumeName& name);
  PlainDisk* Visible(const VolumeName& name);
  PlainDisk* ByUuid(const Uuid& uuid);
  PlainDisk& Add(PlainDisk disk) { return disks_.emplace_back(std::move(disk)); }
  void Erase(const Uuid& uuid);
  Uuid NewUuid();
  std::string NewOperationId();
  // Comment of a disk of ours with that name.
  std::string CommentFor(const VolumeName& name);
  // Whether anybody has that name, and the bad luck of losing it now.
  bool IsTaken(const VolumeName& name);
  // kBusy naming the clones of `disk`, of one of its snapshots if given.
  Status RequireUnheld(const PlainDisk& disk, const std::optional<Uuid>& snapshot = {});
  std::list<PlainDisk>& disks() { return disks_; }

  catalogue::Volume VolumeOf(const PlainDisk& disk) const;
  catalogue::DiskNamespace NamespaceOf(const PlainDisk& disk) const;

 private:
  struct Fault {
    Error error;
    Effect effect;
  };
  std::optional<Fault> TakeFault(const std::string& call);

  std::list<PlainDisk> disks_;
  std::map<std::string, std::deque<Fault>> faults_;
  std::map<std::string, std::function<void()>> meanwhile_, afterwards_;
  std::vector<std::string> calls_;
  std::uint64_t last_number_ = 0;
};

}  // namespace ontapnvme::fakes
