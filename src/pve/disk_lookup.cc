// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/disk_lookup.h"

#include <algorithm>

namespace ontapnvme::pve {
namespace {

// The names under which a volume may be stored, the present one first.
struct StoredNames {
  std::string present;
  std::optional<std::string> legacy;
  std::string Pattern() const { return legacy ? present + "|" + *legacy : present; }
};

Result<StoredNames> NamesOf(const Context& context, const VolumeName& name) {
  TRY(auto present, FlexVolName(context.config.prefix, name));
  return StoredNames{std::move(present), LegacyFlexVolName(context.config.prefix, name)};
}

// Picks the one that is the volume's: the present name unless it is another owner's, else the
// former name if it is unmarked. (A marked object of that name is another volume of ours: its name
// says so.)
template <typename T, typename NameOf, typename CommentOf>
std::optional<T> Pick(const Context& context, const StoredNames& names, std::vector<T> found,
                      NameOf name_of, CommentOf comment_of) {
  for (auto& one : found) {
    if (name_of(one) == names.present && !context.ownership.IsForeign(comment_of(one))) {
      return std::move(one);
    }
  }
  for (auto& one : found) {
    const bool is_legacy = names.legacy && name_of(one) == *names.legacy &&
                           context.ownership.Judge(comment_of(one)) == Owner::kUnmarked;
    if (is_legacy) return std::move(one);
  }
  return std::nullopt;
}

Error Ambiguous(const VolumeName& name, const std::string& flexvol) {
  return Error(ErrorCode::kConflict, "volume '" + name.Text() + "' is not a disk of this storage")
      .Because("FlexVol '" + flexvol + "' holds several namespaces")
      .Try("remove the namespaces that do not belong there, or rename the FlexVol");
}

}  // namespace

Error VolumeNotFound(const Context& context, const VolumeName& name) {
  return Error(ErrorCode::kNotFound, "no volume '" + name.Text() + "' on the array")
      .With("svm", context.config.svm)
      .Try("'pvesm list " + context.config.storage_id + "' shows what there is");
}

Result<std::optional<ontap::DiskObjects>> FindDisk(Context& context, const VolumeName& name,
                                                   const Deadline& deadline) {
  TRY(const auto names, NamesOf(context, name));
  TRY(auto found,
      ontap::ReadDiskObjects(context.rest, context.config.svm, names.Pattern(), deadline));
  auto disk = Pick(
      context, names, std::move(found), [](const auto& one) { return one.volume.name; },
      [](const auto& one) { return one.volume.comment; });
  if (disk && disk->is_ambiguous) return Ambiguous(name, disk->volume.name);
  return disk;
}

Result<ontap::NvmeNamespace> RequireNamespace(Context& context, const VolumeName& name,
                                              const Deadline& deadline) {
  TRY(const auto names, NamesOf(context, name));
  TRY(auto found, context.namespaces.List(names.Pattern(), deadline));
  for (auto one = found.begin(); one != found.end(); ++one) {
    const bool is_twice = std::any_of(std::next(one), found.end(), [&](const auto& other) {
      return other.volume_name == one->volume_name;
    });
    if (is_twice) return Ambiguous(name, one->volume_name);
  }
  auto ns = Pick(
      context, names, std::move(found), [](const auto& one) { return one.volume_name; },
      [](const auto& one) { return one.comment; });
  if (!ns) return VolumeNotFound(context, name);
  return std::move(*ns);
}

Result<ontap::FlexVol> RequireVolume(Context& context, const VolumeName& name,
                                     const Deadline& deadline) {
  TRY(const auto names, NamesOf(context, name));
  TRY(auto found, context.volumes.List(names.Pattern(), deadline));
  auto volume = Pick(
      context, names, std::move(found), [](const auto& one) { return one.name; },
      [](const auto& one) { return one.comment; });
  if (!volume) return VolumeNotFound(context, name);
  return std::move(*volume);
}

Result<bool> HasName(Context& context, const ontap::FlexVol& volume, const std::string& name,
                     const Deadline& deadline) {
  TRY(const auto found, context.volumes.Find(name, deadline));
  return found && found->uuid == volume.uuid;
}

}  // namespace ontapnvme::pve
