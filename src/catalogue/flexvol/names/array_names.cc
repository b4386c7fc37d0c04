// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/names/array_names.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/text.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

// Trident, NetApp's own driver, cuts the names of groups to so many and says that it must; the REST
// reference names no maximum.
constexpr std::size_t kGroupMax = 30;
constexpr const char* kGroupStem = "pve_cg_vm_";
constexpr std::size_t kFlexVolMax = 203;  // NetApp's REST reference, volumes: name

bool IsDigits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// A decimal number without a leading zero.
bool IsPlainNumber(std::string_view text) {
  return IsDigits(text) && (text.size() == 1 || text.front() != '0');
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

std::string ArrayNames::Stem(const VolumeName& name) const {
  return prefix_ + (name.is_base ? "base_" : "vm_") + std::to_string(name.vmid) + "_";
}

Result<std::string> ArrayNames::FlexVol(const VolumeName& name) const {
  std::string flexvol = Stem(name) + FlexVolRest(name);
  if (flexvol.size() > kFlexVolMax) {
    return Error(ErrorCode::kInvalidArgument,
                 "volume name '" + name.Text() + "' is too long for the array")
        .With("characters", std::to_string(flexvol.size()))
        .Try("use a shorter name: a FlexVol has at most " + std::to_string(kFlexVolMax) +
             " characters, and special characters count three");
  }
  return flexvol;
}

std::optional<std::string> ArrayNames::LegacyFlexVol(const VolumeName& name) const {
  if (name.is_base || !name.IsVmState() || IsWord(std::string_view(name.rest).substr(6))) {
    return std::nullopt;
  }
  std::string state = name.rest.substr(6);
  std::replace_if(
      state.begin(), state.end(), [](char c) { return c == '-' || c == '.'; }, '_');
  if (!IsWord(state)) return std::nullopt;
  return Stem(name) + "state_" + state;
}

std::optional<VolumeName> ArrayNames::VolumeOf(std::string_view flexvol) const {
  if (!flexvol.starts_with(prefix_)) return std::nullopt;
  std::string_view left = flexvol.substr(prefix_.size());
  const bool is_base = left.starts_with("base_");
  if (!is_base && !left.starts_with("vm_")) return std::nullopt;
  left.remove_prefix(is_base ? 5 : 3);
  const std::size_t underscore = left.find('_');
  if (underscore == std::string_view::npos) return std::nullopt;
  const auto rest = RestOfFlexVol(left.substr(underscore + 1), is_base);
  if (!rest) return std::nullopt;
  auto name = VolumeName::Parse((is_base ? "base-" : "vm-") +
                                std::string(left.substr(0, underscore)) + "-" + *rest);
  if (!name.ok()) return std::nullopt;
  // Only the one spelling that FlexVol gives: anything else would make two FlexVols one volume.
  if (Stem(*name) + FlexVolRest(*name) != flexvol) return std::nullopt;
  return std::move(name).value();
}

std::string ArrayNames::Pattern() const {
  return prefix_ + "vm_*|" + prefix_ + "base_*";
}

std::string ArrayNames::PatternOfVm(std::uint64_t vmid) const {
  const std::string id = std::to_string(vmid);
  return prefix_ + "vm_" + id + "_*|" + prefix_ + "base_" + id + "_*";
}

std::string ArrayNames::Parked(const Uuid& volume) const {
  std::string name = prefix_ + "pve_deleted_" + volume.Text();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

std::string ArrayNames::ParkedPattern() const {
  return prefix_ + "pve_deleted_*";
}

std::string ArrayNames::SnapshotDevice(std::string_view hash) const {
  return prefix_ + "pve_snapshot_device_" + std::string(hash);
}

std::string ArrayNames::SnapshotDevicePattern() const {
  return prefix_ + "pve_snapshot_device_*";
}

std::string ArrayNames::LongGroup(std::uint64_t vmid, std::string_view tag) const {
  std::string name = prefix_ + kGroupStem + std::to_string(vmid);
  if (!tag.empty()) name += "_" + std::string(tag);
  return name;
}

std::string ArrayNames::ShortGroupStem(std::string_view tag) const {
  return "pve_cg_" + ShortHash(prefix_ + "/" + std::string(tag)).substr(8) + "_";
}

std::string ArrayNames::Group(std::uint64_t vmid, std::string_view tag) const {
  std::string name = LongGroup(vmid, tag);
  return name.size() <= kGroupMax ? name : ShortGroupStem(tag) + std::to_string(vmid);
}

std::vector<std::string> ArrayNames::GroupNames(std::uint64_t vmid, std::string_view tag) const {
  std::vector<std::string> names;
  for (const std::string_view each : {std::string_view(), tag}) {
    names.push_back(Group(vmid, each));
    if (std::string former = LongGroup(vmid, each); former != names.back()) {
      names.push_back(std::move(former));
    }
  }
  return names;
}

std::optional<std::uint64_t> ArrayNames::VmOfGroup(std::string_view group,
                                                   std::string_view tag) const {
  for (const std::string& stem : {prefix_ + kGroupStem, ShortGroupStem(""), ShortGroupStem(tag)}) {
    if (!group.starts_with(stem)) continue;
    const std::string_view left = group.substr(stem.size());
    std::uint64_t vmid = 0;
    const auto parsed = std::from_chars(left.data(), left.data() + left.size(), vmid);
    if (parsed.ec != std::errc()) continue;
    const auto names = GroupNames(vmid, tag);
    if (std::find(names.begin(), names.end(), group) != names.end()) return vmid;
  }
  return std::nullopt;
}

std::string ArrayNames::GroupPattern(std::string_view tag) const {
  return prefix_ + kGroupStem + "*|" + ShortGroupStem("") + "*|" + ShortGroupStem(tag) + "*";
}

}  // namespace ontapnvme::catalogue::flexvol
