// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/disk_memory.h"

#include <set>

#include "base/files.h"

namespace ontapnvme::node {
namespace {

// What Proxmox's cluster file system takes for one file.
constexpr std::size_t kFileMax = std::size_t{1} << 20U;

}  // namespace

DiskMemory::Disks DiskMemory::Load() const {
  if (path_.empty()) return {};
  const auto text = ReadSmallFile(path_, kFileMax);
  // The last line says that the file is whole.
  if (!text || !text->ends_with("\nend=1\n")) return {};
  Disks disks;
  for (const auto& [ns, name] : ParseLines(*text)) {
    if (const auto uuid = Uuid::Parse(ns)) disks.emplace(name, *uuid);
  }
  return disks;
}

Status DiskMemory::Store(const Disks& disks) const {
  std::string text = "format=1\n";
  for (const auto& [name, uuid] : disks) text += uuid.Text() + "=" + name + "\n";
  text += "end=1\n";
  if (text.size() <= kFileMax) return ReplaceSmallFile(path_, text);
  // Too many to remember all of them: then none, since a part would go stale.
  return ReplaceSmallFile(path_, "format=1\nend=1\n");
}

std::optional<Uuid> DiskMemory::Find(const VolumeName& name) const {
  const auto disks = Load();
  const auto found = disks.find(name.LeafText());
  return found == disks.end() ? std::nullopt : std::optional(found->second);
}

Status DiskMemory::Forget(const VolumeName& name) const {
  auto disks = Load();
  if (disks.erase(name.LeafText()) == 0) return {};
  Status stored = Store(disks);
  if (!stored.ok())
    stored.error().SetHint("check the cluster file system and its quorum ('pvecm status')");
  return stored;
}

void DiskMemory::Remember(const VolumeName& name, const Uuid& ns) const {
  if (path_.empty()) return;
  auto disks = Load();
  disks.insert_or_assign(name.LeafText(), ns);
  (void)Store(disks);
}

void DiskMemory::Renew(Disks listed) const {
  if (path_.empty()) return;
  const auto before = Load();
  std::set<Uuid> placed;
  for (const auto& [name, ns] : listed) placed.insert(ns);
  for (const auto& [name, ns] : before) {
    if (!placed.contains(ns)) listed.emplace(name, ns);
  }
  if (listed != before) (void)Store(listed);
}

}  // namespace ontapnvme::node
