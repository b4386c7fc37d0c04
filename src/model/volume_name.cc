// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/volume_name.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/text.h"

namespace ontapnvme {
namespace {

constexpr std::uint64_t kVmidMin = 100;  // Proxmox's own limits
constexpr std::uint64_t kVmidMax = 999'999'999;
constexpr std::size_t kRestMax = 128;

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

}  // namespace ontapnvme
