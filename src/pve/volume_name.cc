// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/volume_name.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace ontapnvme::pve {
namespace {

constexpr std::uint64_t kVmidMin = 100;  // Proxmox's own limits
constexpr std::uint64_t kVmidMax = 999'999'999;
constexpr std::size_t kRestMax = 128;
constexpr std::size_t kFlexVolMax = 203;  // NetApp's REST reference, volumes: name

Error Illegal(std::string_view text) {
  return Error(ErrorCode::kInvalidArgument,
               "'" + CleanText(text, 150) + "' is not a volume name of this storage type")
      .Try("names look like vm-100-disk-0, base-100-disk-0 or base-100-disk-0/vm-101-disk-0");
}

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A decimal number without a leading zero.
bool IsPlainNumber(std::string_view text) {
  return IsDigits(text) && (text.size() == 1 || text.front() != '0');
}

bool ReadVmid(std::string_view text, std::uint64_t& vmid) {
  if (!IsPlainNumber(text) || text.size() > 9) return false;
  std::from_chars(text.data(), text.data() + text.size(), vmid);
  return vmid >= kVmidMin && vmid <= kVmidMax;
}

// What may follow "vm-<vmid>-". '/' and ':' separate in volume ids, ',' separates options on QEMU's
// command line, quotes and '\\' do not survive storage.cfg's neighbours; '@' separates the snapshot
// in our paths.
bool IsRest(std::string_view text) {
  if (text.empty() || text.size() > kRestMax) return false;
  const bool is_printable = std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c <= '~' && std::string_view("/:,@\"'\\").find(c) == std::string_view::npos;
  });
  // Proxmox VE 8 hands volumes with these endings to QEMU's own snapshots.
  constexpr std::string_view kFormats[] = {".raw", ".qcow2", ".qed", ".vmdk"};
  const bool has_format = std::any_of(std::begin(kFormats), std::end(kFormats),
                                      [&](auto ending) { return text.ends_with(ending); });
  return is_printable && !has_format;
}

Result<VolumeName> ParseLeaf(std::string_view text, std::string_view whole) {
  VolumeName name;
  std::string_view left = text;
  if (left.starts_with("vm-")) {
    left.remove_prefix(3);
  } else if (left.starts_with("base-")) {
    name.is_base = true;
    left.remove_prefix(5);
  } else {
    return Illegal(whole);
  }
  const std::size_t hyphen = left.find('-');
  if (hyphen == std::string_view::npos || !ReadVmid(left.substr(0, hyphen), name.vmid) ||
      !IsRest(left.substr(hyphen + 1))) {
    return Illegal(whole);
  }
  name.rest = std::string(left.substr(hyphen + 1));
  return name;
}

bool IsWord(std::string_view text) {  // [A-Za-z0-9_]+
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

// Every byte but letters and digits as '_' and two hex digits: '_' itself too, so that the way back
// is one.
std::string Escape(std::string_view rest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string escaped;
  for (const char c : rest) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      escaped += c;
    } else {
      escaped += '_';
      escaped += kDigits[byte >> 4U];
      escaped += kDigits[byte & 0xFU];
    }
  }
  return escaped;
}

std::optional<std::string> Unescape(std::string_view escaped) {
  std::string rest;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] != '_') {
      rest += escaped[i];
      continue;
    }
    unsigned byte = 0;
    const std::string_view digits = escaped.substr(i + 1, 2);
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
    if (failed != std::errc() || digits.size() != 2 || end != digits.data() + 2) {
      return std::nullopt;
    }
    rest += static_cast<char>(byte);
    i += 2;
  }
  return rest;
}

// The part of the FlexVol's name behind "vm_<vmid>_". The first three forms are those of every
// release of this storage type; the fourth takes all other names.
std::string FlexVolRest(const VolumeName& name) {
  const std::string_view rest = name.rest;
  if (rest.starts_with("disk-") && IsPlainNumber(rest.substr(5))) {
    return "disk_" + std::string(rest.substr(5));
  }
  if (!name.is_base && name.IsCloudInit()) return "cloudinit";
  if (!name.is_base && name.IsVmState() && IsWord(rest.substr(6))) {
    return "state_" + std::string(rest.substr(6));
  }
  return "x_" + Escape(rest);
}

std::string FlexVolStem(std::string_view prefix, const VolumeName& name) {
  return std::string(prefix) + (name.is_base ? "base_" : "vm_") + std::to_string(name.vmid) + "_";
}

std::optional<std::string> RestOfFlexVol(std::string_view rest, bool is_base) {
  if (rest.starts_with("disk_") && IsPlainNumber(rest.substr(5))) {
    return "disk-" + std::string(rest.substr(5));
  }
  if (!is_base && rest == "cloudinit") return "cloudinit";
  if (!is_base && rest.starts_with("state_")) return "state-" + std::string(rest.substr(6));
  if (rest.starts_with("x_")) return Unescape(rest.substr(2));
  return std::nullopt;
}

}  // namespace

Result<VolumeName> VolumeName::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return ParseLeaf(text, text);
  TRY(const VolumeName base, ParseLeaf(text.substr(0, slash), text));
  TRY(VolumeName leaf, ParseLeaf(text.substr(slash + 1), text));
  if (!base.is_base) return Illegal(text);
  leaf.base_name = base.LeafText();
  return leaf;
}

std::string VolumeName::Text() const {
  return base_name.empty() ? LeafText() : base_name + "/" + LeafText();
}

std::string VolumeName::LeafText() const {
  return (is_base ? "base-" : "vm-") + std::to_string(vmid) + "-" + rest;
}

Result<std::string> FlexVolName(std::string_view prefix, const VolumeName& name) {
  std::string flexvol = FlexVolStem(prefix, name) + FlexVolRest(name);
  if (flexvol.size() > kFlexVolMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "volume name '" + name.Text() + "' is too long for the array")
        .With("characters", std::to_string(flexvol.size()))
        .Try("use a shorter name: a FlexVol has at most " + std::to_string(kFlexVolMax) +
             " characters, and special characters count three");
  }
  return flexvol;
}

std::optional<std::string> LegacyFlexVolName(std::string_view prefix, const VolumeName& name) {
  if (name.is_base || !name.IsVmState() || IsWord(std::string_view(name.rest).substr(6))) {
    return std::nullopt;
  }
  std::string state = name.rest.substr(6);
  std::replace_if(
      state.begin(), state.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  if (!IsWord(state)) return std::nullopt;
  return FlexVolStem(prefix, name) + "state_" + state;
}

std::optional<VolumeName> VolumeNameOfFlexVol(std::string_view prefix, std::string_view flexvol) {
  if (!flexvol.starts_with(prefix)) return std::nullopt;
  std::string_view left = flexvol.substr(prefix.size());
  VolumeName name;
  if (left.starts_with("vm_")) {
    left.remove_prefix(3);
  } else if (left.starts_with("base_")) {
    name.is_base = true;
    left.remove_prefix(5);
  } else {
    return std::nullopt;
  }
  const std::size_t underscore = left.find('_');
  if (underscore == std::string_view::npos || !ReadVmid(left.substr(0, underscore), name.vmid)) {
    return std::nullopt;
  }
  auto rest = RestOfFlexVol(left.substr(underscore + 1), name.is_base);
  if (!rest || !IsRest(*rest)) return std::nullopt;
  name.rest = std::move(*rest);
  // Only the one spelling that FlexVolName gives: anything else would make two FlexVols one volume.
  if (FlexVolStem(prefix, name) + FlexVolRest(name) != flexvol) return std::nullopt;
  return name;
}

std::string FlexVolPattern(std::string_view prefix) {
  const std::string text(prefix);
  return text + "vm_*|" + text + "base_*";
}

std::string FlexVolPatternOfVm(std::string_view prefix, std::uint64_t vmid) {
  const std::string text(prefix);
  const std::string id = std::to_string(vmid);
  return text + "vm_" + id + "_*|" + text + "base_" + id + "_*";
}

std::string ParkedName(std::string_view prefix, std::string_view tag) {
  std::string name = std::string(prefix) + "pve_deleted_" + std::string(tag);
  std::replace(name.begin(), name.end(), '-', '_');  // a UUID's
  return name;
}

std::string ParkedPattern(std::string_view prefix) {
  return std::string(prefix) + "pve_deleted_*";
}

std::string GroupName(std::string_view prefix, std::uint64_t vmid) {
  return std::string(prefix) + "pve_cg_vm_" + std::to_string(vmid);
}

std::string ArraySnapshotName(std::string_view snapshot) {
  return "pve_snap_" + std::string(snapshot);
}

std::optional<std::string> PveSnapshotName(std::string_view array_name) {
  constexpr std::string_view kStem = "pve_snap_";
  if (!array_name.starts_with(kStem)) return std::nullopt;
  return std::string(array_name.substr(kStem.size()));
}

}  // namespace ontapnvme::pve
