// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fakes/plain_world.h"

#include <algorithm>
#include <array>

namespace ontapnvme::fakes {
namespace {

using catalogue::DiskNamespace;
using catalogue::Volume;

constexpr std::chrono::sys_seconds kLongAgo{std::chrono::seconds(1'600'000'000)};

VolumeName Named(std::string_view text) {
  auto name = VolumeName::Parse(text);
  return std::move(name).value();  // throws for a name that a test has spelled wrong
}

}  // namespace

std::string PlainContainerName(const VolumeName& name) {
  return "disk/" + name.LeafText();
}

std::string PlainDisk::ContainerName() const {
  return shown ? "shown/" + uuid.Text() : PlainContainerName(name);
}

Error Refused(ErrorCode code, std::string sentence, Refusal refusal) {
  Origin origin;
  origin.refusal = refusal;
  return Error(code, std::move(sentence)).From(origin);
}

Error Gone(const std::string& name) {
  return Refused(ErrorCode::kNotFound, "'" + name + "' does not exist", Refusal::kGone);
}

std::chrono::sys_seconds SecondsNow(const Deadline& deadline) {
  return std::chrono::floor<std::chrono::seconds>(deadline.clock().WallTime());
}

PlainDisk& PlainWorld::AddDisk(std::string_view name, std::string content, ByteCount size) {
  const VolumeName parsed = Named(name);
  return Add({.name = parsed,
              .uuid = NewUuid(),
              .comment = CommentFor(parsed),
              .size = size,
              .content = std::move(content),
              .create_time = kLongAgo});
}

PlainDisk& PlainWorld::AddHalfMade(std::string_view name) {
  PlainDisk& disk = AddDisk(name);
  disk.is_whole = false;
  disk.mapping = catalogue::Mapping::kNone;
  return disk;
}

PlainDisk& PlainWorld::AddForeign(std::string_view name) {
  PlainDisk& disk = AddDisk(name);
  disk.comment = Marker("cluster-z", "theirs").New(disk.name.vmid, NewOperationId()).ShortText();
  return disk;
}

void PlainWorld::AddSnapshot(std::string_view name, std::string_view array_name,
                             std::chrono::sys_seconds time) {
  PlainDisk& disk = *Disk(name);
  disk.snapshots.push_back({{.name = ArraySnapshotName(std::string(array_name)),
                             .uuid = NewUuid(),
                             .create_time = time,
                             .taken_in = std::string(array_name)},
                            disk.content});
}

void PlainWorld::FailNext(const std::string& call, Error error, Effect effect) {
  faults_[call].push_back({std::move(error), effect});
}

std::optional<PlainWorld::Fault> PlainWorld::TakeFault(const std::string& call) {
  auto& waiting = faults_[call];
  if (waiting.empty()) return std::nullopt;
  Fault fault = std::move(waiting.front());
  waiting.pop_front();
  return fault;
}

PlainDisk* PlainWorld::Disk(std::string_view name) {
  return Visible(Named(name));
}

std::vector<std::string> PlainWorld::SnapshotsOf(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& one : Disk(name)->snapshots) names.push_back(one.record.name.Text());
  return names;
}

bool PlainWorld::IsForeign(const PlainDisk& disk) const {
  return marker.Read(disk.comment).owner == Owner::kForeign;
}

PlainDisk* PlainWorld::Visible(const VolumeName& name) {
  const auto found = std::find_if(disks_.begin(), disks_.end(), [&](const PlainDisk& disk) {
    return disk.name == name && !disk.shown && !disk.is_deferred && !IsForeign(disk);
  });
  return found == disks_.end() ? nullptr : &*found;
}

std::vector<PlainDisk*> PlainWorld::GroupOf(const VolumeName& name) {
  std::vector<PlainDisk*> members;
  if (!has_groups || !name.IsGroupMember()) return members;
  for (auto& disk : disks_) {
    const bool is_member = disk.name.vmid == name.vmid && disk.name.IsGroupMember();
    if (is_member && Visible(disk.name) == &disk) members.push_back(&disk);
  }
  return members;
}

PlainDisk* PlainWorld::ByUuid(const Uuid& uuid) {
  const auto found = std::find_if(disks_.begin(), disks_.end(),
                                  [&](const PlainDisk& disk) { return disk.uuid == uuid; });
  return found == disks_.end() ? nullptr : &*found;
}

void PlainWorld::Erase(const Uuid& uuid) {
  disks_.remove_if([&](const PlainDisk& disk) { return disk.uuid == uuid; });
}

Uuid PlainWorld::NewUuid() {
  std::array<std::uint8_t, 16> bytes{0xaa};
  const std::uint64_t number = ++last_number_;
  bytes[14] = static_cast<std::uint8_t>(number >> 8U);
  bytes[15] = static_cast<std::uint8_t>(number & 0xFFU);
  return Uuid(bytes);
}

std::string PlainWorld::NewOperationId() {
  return ShortHash(std::to_string(++last_number_));
}

std::string PlainWorld::CommentFor(const VolumeName& name) {
  Mark mark = marker.New(name.vmid, NewOperationId());
  mark.base_name = name.base_name;
  return std::move(mark.Text()).value();
}

bool PlainWorld::IsTaken(const VolumeName& name) {
  if (names_to_lose > 0) {
    --names_to_lose;
    AddForeign(name.LeafText());
  }
  return std::any_of(disks_.begin(), disks_.end(), [&](const PlainDisk& disk) {
    return disk.name == name && !disk.shown && !disk.is_deferred;
  });
}

Status PlainWorld::RequireUnheld(const PlainDisk& disk, const std::optional<Uuid>& snapshot) {
  std::string clones;
  for (const auto& one : disks_) {
    const bool is_holder = one.origin && one.origin->disk == disk.uuid &&
                           (!snapshot || one.origin->snapshot == *snapshot);
    if (is_holder) clones += (clones.empty() ? "" : " ") + one.ContainerName();
  }
  if (clones.empty()) return {};
  return Refused(ErrorCode::kBusy, "clones hold '" + disk.name.LeafText() + "'",
                 Refusal::kHeldByClones)
      .With("clones", clones);
}

Volume PlainWorld::VolumeOf(const PlainDisk& disk) const {
  return {.name = disk.name,
          .container_name = disk.ContainerName(),
          .container = disk.uuid,
          .container_size = disk.size,
          .used = ByteCount{disk.content.size()},
          .mark = marker.Read(disk.comment),
          .group = std::nullopt,
          .create_time = disk.create_time};
}

DiskNamespace PlainWorld::NamespaceOf(const PlainDisk& disk) const {
  return {.uuid = disk.uuid,
          .container_name = disk.ContainerName(),
          .size = disk.size,
          .used = ByteCount{disk.content.size()},
          .mapping = disk.mapping,
          .mapped_to = disk.mapped_to,
          .fault = disk.fault};
}

}  // namespace ontapnvme::fakes
