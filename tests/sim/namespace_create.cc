// SPDX-License-Identifier: AGPL-3.0-or-later
// POST /storage/namespaces: new ones, and clones within a volume.
#include <algorithm>
#include <cctype>
#include <cstdio>

#include "api_error.h"
#include "namespace_rules.h"
#include "volume_rules.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

constexpr int kTooSmall = 72089723;
constexpr int kTooLarge = 72089724;
constexpr int kPathTaken = 72089725;
constexpr int kOnRootVolume = 72089727;
constexpr int kBadName = 72089732;
constexpr int kInSnapshot = 72089720;
constexpr int kVolumeUnknown = 917927;
constexpr int kNotAllowedForClone = 72090012;
constexpr int kRequiredUnlessClone = 72090013;
constexpr int kNoVolume = 72090014;
constexpr int kVolumeOffline = 72090017;
constexpr int kSourceUnknown = 72090007;
constexpr int kNoNvmeService = 72090029;

constexpr std::uint64_t kBytesMinimum = 4096;
constexpr std::uint64_t kBytesMaximum = std::uint64_t{128} << 40U;
constexpr std::uint64_t kBytesMaximumOld = 17557557870592;  // before large namespaces

using Location = NamespaceLocation;

// From "/vol/<volume>/<name>" or from the `location` fields; both must agree when both are given.
Location RequireLocation(const World& world, const json& body) {
  Location location{TextAt(body, "location.volume.name"), TextAt(body, "location.namespace")};
  const std::string uuid = TextAt(body, "location.volume.uuid");
  if (location.volume.empty() && !uuid.empty()) {
    const Volume* volume = world.volumes.Find(uuid);
    if (volume == nullptr) Refuse(kVolumeUnknown, "The volume was not found", "location.volume");
    location.volume = volume->name;
  }
  const std::string path = TextAt(body, "name");
  if (path.empty()) {
    if (location.volume.empty()) Refuse(kNoVolume, "No volume was specified", "location.volume");
    if (location.base_name.empty()) Refuse(code::kRequired, "No name was specified", "name");
    return location;
  }
  const Location named = RequireNamespacePath(path);
  if ((!location.volume.empty() && location.volume != named.volume) ||
      (!location.base_name.empty() && location.base_name != named.base_name)) {
    Refuse(code::kFieldConflict, "\"name\" and \"location\" disagree", "name");
  }
  return named;
}

void RequireBaseName(const std::string& name) {
  if (name.rfind(".snapshot/", 0) == 0) {
    Refuse(kInSnapshot, "A namespace cannot be created in a snapshot", "name");
  }
  const bool is_clean = std::all_of(name.begin(), name.end(), [](unsigned char byte) {
    return byte < 0x80 && (std::isalnum(byte) != 0 ||
                           std::string("-._{}").find(static_cast<char>(byte)) != std::string::npos);
  });
  if (!is_clean) Refuse(kBadName, "The namespace name has a character that is not allowed", "name");
}

const Volume& RequireUsableVolume(World& world, const Svm& svm, const std::string& name) {
  if (!svm.has_nvme_service) Refuse(kNoNvmeService, "The SVM has no NVMe service");
  const Volume* volume = world.FindVolume(svm.uuid, name);
  if (volume == nullptr) {
    RefuseMissing(kVolumeUnknown, "Volume \"" + name + "\" was not found", "location.volume.name");
  }
  if (volume->is_svm_root) Refuse(kOnRootVolume, "Namespaces are refused on a root volume", "name");
  if (volume->state != "online") Refuse(kVolumeOffline, "The volume is not online", "name");
  return *volume;
}

// "/vol/<volume>/<name>", or "/vol/<volume>/.snapshot/<snapshot>/<name>".
struct Source {
  const NvmeNamespace* live = nullptr;
  const SavedNamespace* saved = nullptr;
  const NvmeNamespace& ns() const { return live != nullptr ? *live : saved->ns; }
};

Source RequireSource(World& world, const Volume& volume, const json& body) {
  const std::string name = TextAt(body, "clone.source.name");
  const std::string uuid = TextAt(body, "clone.source.uuid");
  Source source;
  const std::string in_snapshots = "/vol/" + volume.name + "/.snapshot/";
  if (name.rfind(in_snapshots, 0) == 0) {
    const auto slash = name.find('/', in_snapshots.size());
    const std::string snapshot_name = name.substr(in_snapshots.size(), slash - in_snapshots.size());
    const Switches& switches = world.settings.switches;
    if (switches.Is("clone_from_snapshot", "refuse")) {
      Refuse(code::kBadValue, "The source lies in a snapshot", "clone.source.name");
    }
    const bool is_hidden = switches.Is("clone_from_snapshot", "hide");
    const Snapshot* snapshot = is_hidden ? nullptr : world.FindSnapshot(volume.uuid, snapshot_name);
    if (snapshot != nullptr && slash != std::string::npos) {
      for (const SavedNamespace& saved : snapshot->contents) {
        if (saved.ns.base_name == name.substr(slash + 1)) source.saved = &saved;
      }
    }
  } else {
    source.live =
        uuid.empty() ? world.FindNamespace(volume.svm_uuid, name) : world.namespaces.Find(uuid);
    if (source.live != nullptr && source.live->volume_uuid != volume.uuid) source.live = nullptr;
  }
  if (source.live == nullptr && source.saved == nullptr) {
    RefuseMissing(kSourceUnknown, "The source namespace was not found in this volume",
                  "clone.source.name");
  }
  return source;
}

void FillBytes(World& world, const NvmeNamespace& ns, const Source* source) {
  BlockStore& blocks = world.blocks();
  if (source == nullptr) {
    blocks.Create(ns.uuid, ns.size_bytes);
  } else if (source->saved != nullptr) {
    blocks.Clone(source->saved->image->id(), ns.uuid);
  } else {
    const std::string image = world.NewUuid();
    blocks.Save(source->live->uuid, image);
    blocks.Clone(image, ns.uuid);
    blocks.DropImage(image);
  }
}

json ApplyPost(World& world, const json& body, const std::string& svm_uuid, NvmeNamespace ns,
               Phase phase) {
  const Svm& svm = *world.svms.Find(svm_uuid);
  const Location location = RequireLocation(world, body);
  RequireBaseName(location.base_name);
  const Volume& volume = RequireUsableVolume(world, svm, location.volume);
  const std::string path = "/vol/" + location.volume + "/" + location.base_name;
  if (world.FindNamespace(svm_uuid, path) != nullptr) {
    RefuseConflict(kPathTaken, "Namespace \"" + path + "\" exists", "name");
  }
  ns.volume_uuid = volume.uuid;
  ns.base_name = location.base_name;

  const bool is_clone = Has(body, "clone.source");
  Source source;
  if (is_clone) {
    source = RequireSource(world, volume, body);
    ns.size_bytes = source.ns().size_bytes;
    ns.block_size = source.ns().block_size;
    ns.os_type = source.ns().os_type;
    const bool is_told = world.settings.switches.Is("clone_comment", "of_source");
    if (is_told && ns.comment.empty()) ns.comment = source.ns().comment;
  }
  // A clone shares its source's blocks, unless the volume keeps room for all that may be written.
  const bool is_counted =
      !is_clone || volume.is_thick || world.settings.switches.Is("clone_space", "counted");
  if (is_counted) RequireNamespaceFits(world, volume, ns.size_bytes, 0, ns.block_size);
  if (phase == Phase::kCheck) return nullptr;
  ns.create_time = world.Now();
  FillBytes(world, ns, is_clone ? &source : nullptr);
  return NamespaceRecord(world, world.namespaces.Add(std::move(ns)), true);
}

void RequireCreateFields(const json& body) {
  const bool is_clone = Has(body, "clone.source");
  for (const char* path : {"os_type", "space.size"}) {
    if (!is_clone && !Has(body, path)) {
      Refuse(kRequiredUnlessClone, std::string("Field \"") + path + "\" is required", path);
    }
  }
  for (const char* path : {"os_type", "space.size", "space.block_size"}) {
    if (is_clone && Has(body, path)) {
      Refuse(kNotAllowedForClone, std::string("Field \"") + path + "\" is not allowed for a clone",
             path);
    }
  }
}

}  // namespace

NamespaceLocation RequireNamespacePath(const std::string& path) {
  static const std::string kPrefix = "/vol/";
  const auto slash = path.find('/', kPrefix.size());
  if (path.rfind(kPrefix, 0) != 0 || slash == std::string::npos || slash + 1 == path.size()) {
    Refuse(kBadName, "A namespace name is /vol/<volume>/<namespace>", "name");
  }
  return {path.substr(kPrefix.size(), slash - kPrefix.size()), path.substr(slash + 1)};
}

std::string HexNumber(unsigned number) {
  char text[16];
  std::snprintf(text, sizeof text, "%08xh", number);
  return text;
}

void RequireNamespaceFits(World& world, const Volume& volume, std::uint64_t size_bytes,
                          std::uint64_t before_bytes, std::int64_t block_size) {
  const std::uint64_t maximum = world.settings.release.Has(12) ? kBytesMaximum : kBytesMaximumOld;
  const auto minimum =
      std::max(kBytesMinimum,
               static_cast<std::uint64_t>(world.settings.switches.Number("namespace_minimum")));
  if (size_bytes < minimum) Refuse(kTooSmall, "The namespace is too small", "space.size");
  if (size_bytes > maximum) Refuse(kTooLarge, "The namespace is too large", "space.size");
  if (size_bytes % static_cast<std::uint64_t>(block_size) != 0) {
    Refuse(code::kBadValue, "The size is not a multiple of the block size", "space.size");
  }
  std::uint64_t others = 0;
  for (const NvmeNamespace* ns : world.NamespacesOf(volume.uuid)) others += ns->size_bytes;
  if (others - before_bytes + size_bytes > NamespaceRoomBytes(volume)) {
    RefuseNoSpace("Not enough space in volume \"" + volume.name + "\"");
  }
}

Reply PostNamespace(Call& call) {
  const json body = call.Body(models::NvmeNamespace(), Write::kCreate);
  call.RequireNoMoreParams();
  const Svm& svm = call.RequireSvm(body);
  if (Has(body, "convert")) return ConvertLun(call, body, svm);
  RequireCreateFields(body);
  World& world = call.world;
  NvmeNamespace ns;
  ns.uuid = world.NewUuid();
  ns.nguid = world.NewUuid();
  ns.comment = TextAt(body, "comment");
  if (Has(body, "os_type")) ns.os_type = TextAt(body, "os_type");
  if (Has(body, "space.size")) ns.size_bytes = At(body, "space.size").get<std::uint64_t>();
  ns.block_size = ns.os_type == "vmware" ? 512 : 4096;
  if (Has(body, "space.block_size")) ns.block_size = At(body, "space.block_size");
  if (world.settings.switches.Is("namespace_rounding", "round_up")) {
    const auto block_bytes = static_cast<std::uint64_t>(ns.block_size);
    ns.size_bytes = (ns.size_bytes + block_bytes - 1) / block_bytes * block_bytes;
  }
  if (Has(body, "auto_delete")) ns.is_auto_delete = At(body, "auto_delete");
  Change change;
  change.answer = Change::Answer::kEither;
  change.is_create = true;
  change.description = "POST /api/storage/namespaces";
  change.svm_uuid = svm.uuid;
  change.location = "/api/storage/namespaces/" + ns.uuid;
  change.model = &models::NvmeNamespace();
  change.run = [&world, body, svm_uuid = svm.uuid, ns](Phase phase) {
    return ApplyPost(world, body, svm_uuid, ns, phase);
  };
  return Reply::To(std::move(change));
}

}  // namespace ontapnvme::sim
