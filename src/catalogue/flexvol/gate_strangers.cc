// SPDX-License-Identifier: AGPL-3.0-or-later
// What of others may come through the gate: the part of it that looks at what is to be adopted.
#include <algorithm>

#include "base/text.h"
#include "catalogue/flexvol/gate.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

std::string Shown(const AdoptionSource& source) {
  return (source.is_lun ? "LUN '" : "namespace '") + CleanText(source.path) + "'";
}

Error Refused(ErrorCode code, const AdoptionSource& source, const std::string& reason,
              const std::string& hint) {
  return Error(code, "cannot adopt " + Shown(source)).Because(reason).Try(hint);
}

// Of "/vol/VOLUME/NAME".
Result<std::string> FlexVolOf(const AdoptionSource& source) {
  constexpr std::string_view kStem = "/vol/";
  const std::string& path = source.path;
  const std::size_t slash = path.find('/', std::min(kStem.size(), path.size()));
  const bool is_path = path.starts_with(kStem) && slash != std::string::npos &&
                       slash + 1 < path.size() && path.find("/.snapshot/") == std::string::npos;
  std::string flexvol = is_path ? path.substr(kStem.size(), slash - kStem.size()) : "";
  const bool is_name = !flexvol.empty() && std::all_of(flexvol.begin(), flexvol.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
  if (is_name) return flexvol;
  return Error(ErrorCode::kInvalidArgument, "cannot adopt '" + CleanText(path) + "'")
      .Because("it is no path of the array")
      .Try("give it as the array shows it: /vol/VOLUME/NAME");
}

// Under another prefix and without a mark it may be the disk of an older installation.
std::optional<std::string> DiskOfAnyPrefix(const std::string& flexvol) {
  const ArrayNames names("");
  for (const char* stem : {"vm_", "base_"}) {
    for (auto at = flexvol.find(stem); at != std::string::npos; at = flexvol.find(stem, at + 1)) {
      const auto name = names.VolumeOf(std::string_view(flexvol).substr(at));
      const bool is_form =
          name && (name->rest.starts_with("disk-") || name->IsCloudInit() || name->IsVmState());
      if (is_form) return name->LeafText();
    }
  }
  return std::nullopt;
}

template <typename Objects>
std::string PathsOf(const Objects& objects) {
  std::string paths;
  for (const auto& one : objects) AppendTo(paths, ", ", CleanText(one.path));
  return paths;
}

template <typename Object>
const Object* AtPath(const std::vector<Object>& objects, const std::string& path) {
  const auto found = std::find_if(objects.begin(), objects.end(),
                                  [&](const auto& one) { return one.path == path; });
  return found == objects.end() ? nullptr : &*found;
}

Status RequireAlone(const AdoptionSource& source, std::vector<ontap::NvmeNamespace> namespaces,
                    std::vector<ontap::Lun> luns) {
  const auto is_it = [&](const auto& one) { return one.path == source.path; };
  std::erase_if(namespaces, is_it);
  std::erase_if(luns, is_it);
  std::string others = PathsOf(namespaces);
  AppendTo(others, ", ", PathsOf(luns));
  if (namespaces.empty() && luns.empty()) return {};
  return Refused(
      ErrorCode::kConflict, source, "its FlexVol holds others besides: " + others,
      "a disk has a FlexVol of its own: copy it into a new disk, or move the others elsewhere");
}

Status RequireSize(const AdoptionSource& source, ByteCount size) {
  if (size.bytes() == 0) {
    return Refused(ErrorCode::kUnavailable, source, "the array does not say how large it is",
                   "bring it online on the array, and try again");
  }
  if (size > kDiskSizeMax) {
    return Refused(ErrorCode::kConflict, source, "it is larger than any disk may be",
                   "copy what it holds into smaller disks");
  }
  const ByteCount fitting = size.RoundUp(kBlockBytes);
  if (fitting == size) return {};
  return Refused(
      ErrorCode::kConflict, source,
      "its size, " + std::to_string(size.bytes()) +
          " bytes, is no multiple of 4 KiB, and Proxmox VE could not copy the disk exactly",
      "grow it on the array to " + std::to_string(fitting.bytes()) + " bytes");
}

// Not told is not unmapped: a host may have it open.
Status RequireUnmapped(const AdoptionSource& source, std::optional<bool> is_mapped,
                       const std::string& to) {
  if (!is_mapped) {
    return Refused(ErrorCode::kUnavailable, source, "the array does not say whether it is mapped",
                   source.is_lun ? "look at it on the array ('lun show -fields mapped')"
                                 : "look at it on the array ('vserver nvme subsystem map show')");
  }
  if (!*is_mapped) return {};
  return Refused(ErrorCode::kBusy, source,
                 "it is mapped" + (to.empty() ? "" : " to '" + CleanText(to) + "'") +
                     ", and what a host has open cannot be seen from here",
                 "stop whoever uses it and unmap it on the array");
}

Status RequireOwnUse(const AdoptionSource& source, const ontap::FlexVolUse& use) {
  if (!use.is_svm_root) {
    return Refused(ErrorCode::kUnavailable, source,
                   "the array does not say whether its FlexVol is the root of the SVM",
                   "give the account the right to read it, or use another account");
  }
  if (*use.is_svm_root) {
    return Refused(ErrorCode::kConflict, source, "its FlexVol is the root of the SVM",
                   "copy it into a new disk");
  }
  if (use.type != "rw") {
    return Refused(ErrorCode::kConflict, source,
                   "its FlexVol is of the type '" + CleanText(use.type) + "', not 'rw'",
                   "a copy that the array keeps must be made writable first ('snapmirror break')");
  }
  if (use.nas_path.empty()) return {};
  return Refused(ErrorCode::kConflict, source,
                 "its FlexVol is mounted at '" + CleanText(use.nas_path) + "', and may hold files",
                 "unmount it on the array ('volume unmount') if it serves nothing else");
}

}  // namespace

Status Gate::RequireNobodys(const ontap::FlexVol& flexvol, const AdoptionSource& source,
                            std::uint64_t vmid) const {
  const auto reading = marker_.Read(flexvol.comment);
  if (reading.owner == Owner::kForeign) {
    return Refused(
               ErrorCode::kConflict, source,
               "it belongs to another cluster or storage, as the comment of its FlexVol says",
               "hand it over there ('ontapnvme move'), or, if that one is gone for good, clear the "
               "comments of FlexVol and namespace on the array")
        .With("cluster", reading.foreign_cluster_id)
        .With("storage", CleanText(reading.mark.storage_id));
  }
  if (const auto name = names_.VolumeOf(flexvol.name)) {
    return Refused(ErrorCode::kAlreadyExists, source,
                   "it is volume '" + name->LeafText() + "' of this storage already",
                   "'qm disk rescan' shows it as an unused disk of its VM");
  }
  const Mark& mark = reading.mark;
  const bool is_ours = reading.owner == Owner::kOurs;
  const bool is_begun = is_ours && mark.adopted_from == source.path;
  if (is_begun && mark.vmid != vmid) {
    return Refused(ErrorCode::kConflict, source,
                   "it is being adopted for VM " + std::to_string(mark.vmid),
                   "repeat the command for that VM, and reassign the disk then");
  }
  if (is_ours && !is_begun) {
    return Refused(ErrorCode::kConflict, source, "its FlexVol is one that this storage made",
                   "'ontapnvme pending' tells what is unfinished");
  }
  const auto other = is_ours ? std::nullopt : DiskOfAnyPrefix(flexvol.name);
  if (other) {
    return Refused(
        ErrorCode::kConflict, source,
        "FlexVol '" + flexvol.name + "' is called like disk '" + *other +
            "' of a storage with another prefix, whose mark it may lack",
        "if no storage has it, give the FlexVol another name on the array ('volume rename')");
  }
  if (flexvol.state != "online") {
    return Refused(ErrorCode::kUnavailable, source,
                   "its FlexVol is not online, but '" + CleanText(flexvol.state) + "'",
                   "bring it online on the array ('volume online')");
  }
  if (!flexvol.group) return {};
  return Refused(ErrorCode::kConflict, source,
                 "its FlexVol is in consistency group '" + CleanText(flexvol.group->name) + "'",
                 "take it out of that group on the array");
}

Result<std::optional<Stranger>> Gate::FindStranger(const AdoptionSource& source, std::uint64_t vmid,
                                                   const Deadline& deadline) {
  TRY(const auto name, FlexVolOf(source));
  TRY(auto flexvol, volumes_.Find(name, deadline));
  if (!flexvol) return std::optional<Stranger>();
  TRY_STATUS(RequireNobodys(*flexvol, source, vmid));
  TRY(const auto namespaces, namespaces_.List(name, deadline, ontap::NamespaceMaps::kReadTwice));
  auto luns = namespaces_.ListLuns(name, deadline);
  if (FailedWith(luns, ErrorCode::kPermissionDenied)) {
    luns.error().SetHint(
        "whether a FlexVol holds LUNs must be known; on the array: security login rest-role create "
        "-vserver SVM-OR-CLUSTER -role ROLE -access readonly -api /api/storage/luns");
  }
  if (!luns.ok()) return std::move(luns).error();
  const auto* ns = AtPath(namespaces, source.path);
  const auto* lun = AtPath(*luns, source.path);
  if (ns == nullptr && lun == nullptr) return std::optional<Stranger>();
  if (lun != nullptr && !source.is_lun) {
    return Refused(ErrorCode::kConflict, source, "it is a LUN",
                   "give it with --lun: the array converts it to a namespace, in place");
  }
  TRY_STATUS(RequireAlone(source, namespaces, *luns));
  TRY(const auto use, volumes_.ReadUse(flexvol->uuid, deadline));
  TRY_STATUS(RequireOwnUse(source, use));
  Stranger stranger{.volume = Admit(std::move(*flexvol), VolumeName()), .ns = {}, .lun = {}};
  stranger.is_begun = stranger.volume->mark.owner == Owner::kOurs;
  if (lun != nullptr) {
    TRY_STATUS(RequireUnmapped(source, lun->is_mapped, ""));
    TRY_STATUS(RequireSize(source, lun->size));
    stranger.lun = *lun;
    return std::optional(std::move(stranger));
  }
  const bool is_foreign = marker_.Read(ns->comment).owner == Owner::kForeign;
  if (is_foreign || IsCopy(*ns)) {
    return Refused(ErrorCode::kConflict, source,
                   is_foreign ? "its comment says that another cluster or storage made it"
                              : "its name is one that a rollback gives",
                   "copy it into a new disk");
  }
  const bool has_map = ns->subsystem_uuid.has_value();
  TRY_STATUS(RequireUnmapped(source, has_map ? true : ns->is_mapped, ns->subsystem_name));
  TRY_STATUS(RequireSize(source, ns->size));
  stranger.ns = OwnedNamespace(*ns);
  return std::optional(std::move(stranger));
}

Result<OwnedNamespace> Gate::Convert(const Stranger& stranger, const Deadline& deadline) {
  const auto& lun = *stranger.lun;
  auto converted = namespaces_.ConvertLun(lun, deadline);
  if (converted.ok()) return OwnedNamespace(std::move(*converted));
  if (!MayHaveHappened(converted.error())) {
    converted.error().SetHint(
        "an array converts a LUN that is mapped nowhere, is in no snapshot, and has no bytes before or "
        "behind those that hosts see; else copy it into a new disk");
    return std::move(converted).error();
  }
  const auto is_it = [&](const ontap::NvmeNamespace& ns) { return ns.path == lun.path; };
  const auto look = [&] { return namespaces_.FindByVolume(lun.volume_name, deadline, is_it); };
  TRY(auto found, LookAgainUntilListed(look, deadline));
  if (!found) return std::move(converted).error();
  return OwnedNamespace(std::move(*found));
}

}  // namespace ontapnvme::catalogue::flexvol
