// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fault/estate.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "model/volume_name.h"

namespace ontapnvme::fault {
namespace {

constexpr std::size_t kContentBytes = 16;

std::string LeafOf(const std::string& volume) {
  return volume.substr(volume.find('/') + 1);
}

}  // namespace

Estate::Estate(TestArray& array) : array_(&array), predecessor_(array) {
  std::ifstream table(PREDECESSOR_TABLE);
  EXPECT_TRUE(table.good()) << PREDECESSOR_TABLE;
  for (std::string line; std::getline(table, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    std::istringstream cells(line);
    Row row;
    std::getline(cells, row.what, '\t');
    std::getline(cells, row.volume, '\t');
    std::getline(cells, row.with, '\t');
    SCOPED_TRACE(row.what + " " + row.volume + " " + row.with);
    Do(row);
    array.clock->Advance(std::chrono::seconds(2));
  }
  for (auto& [volume, disk] : disks_) {
    const auto* ns = predecessor_.FindNamespace(volume);
    if (ns != nullptr) disk.namespace_uuid = ns->uuid;
  }
  array.clock->Advance(std::chrono::hours(2));
}

void Estate::Do(const Row& row) {
  const auto& [what, volume, with] = row;
  if (what.starts_with("make")) return Make(row);
  if (what == "write") return Write(volume, with);
  if (what == "snapshot") return Snapshot(std::stoull(volume), with);
  if (what == "join") return predecessor_.Join(volume);
  if (what == "schedule") return predecessor_.Schedule(volume, with);
  if (what == "policy") return predecessor_.SetSnapshotPolicy(volume, with);
  if (what == "rename") {
    predecessor_.Rename(volume, with);
    return ChangeName(volume, with);
  }
  if (what == "base") return ChangeName(volume, predecessor_.CreateBase(volume));
  if (what == "base-stopped") {
    const std::string base = predecessor_.CreateBase(volume);
    predecessor_.DeleteBaseSnapshot(base);
    return ChangeName(volume, base);
  }
  if (what == "clone") {
    predecessor_.Clone(volume, with);
    LeftDisk clone = disks_.at(volume);
    clone.configured = volume + "/" + with;
    clone.listed = clone.configured;
    disks_[with] = clone;
    return;
  }
  if (what == "lose-prefix") {
    disks_.at(volume).configured = volume;
    return;
  }
  disks_.erase(volume);
  if (what == "free") return predecessor_.Free(volume);
  if (what == "half-free") {
    predecessor_.Leave(volume);
    predecessor_.Unmap(volume);
    return predecessor_.DeleteNamespace(volume);
  }
  ADD_FAILURE() << "the table says what nobody can do: " << what;
}

void Estate::Make(const Row& row) {
  const std::uint64_t size_kib = std::stoull(row.with);
  predecessor_.MakeFlexVol(row.volume, size_kib);
  if (row.what == "make-empty") return;
  predecessor_.MakeNamespace(row.volume, size_kib);
  if (row.what != "make-unmapped") predecessor_.Map(row.volume);
  if (row.what == "make") predecessor_.Join(row.volume);
  std::string listed = Predecessor::VolumeOf(Predecessor::FlexVolOf(row.volume));
  disks_[row.volume] = {.configured = row.volume,
                        .listed = std::move(listed),
                        .size_bytes = size_kib * 1024,
                        .content = "",
                        .namespace_uuid = ""};
}

void Estate::Write(const std::string& volume, const std::string& text) {
  const auto* ns = predecessor_.FindNamespace(volume);
  ASSERT_NE(ns, nullptr) << volume;
  array_->sim.store().Write(ns->uuid, 0, text + std::string(kContentBytes - text.size(), '\0'));
  disks_.at(volume).content = text;
}

void Estate::Snapshot(std::uint64_t vmid, const std::string& name) {
  std::vector<std::string> volumes;
  for (auto& [volume, disk] : disks_) {
    const auto parsed = VolumeName::Parse(volume);
    if (parsed->vmid != vmid || !parsed->IsGroupMember()) continue;
    volumes.push_back(volume);
    disk.snapshots.emplace_back(name, disk.content);
  }
  predecessor_.Snapshot(volumes, name);
}

// A linked clone is listed behind its base image all the same.
void Estate::ChangeName(const std::string& volume, const std::string& new_name) {
  auto disk = disks_.extract(volume);
  auto& left = disk.mapped();
  const std::string before = left.configured;
  left.configured = before.substr(0, before.size() - LeafOf(before).size()) + LeafOf(new_name);
  left.listed = left.configured;
  disk.key() = LeafOf(new_name);
  disks_.insert(std::move(disk));
}

}  // namespace ontapnvme::fault
