// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/snapshot_name.h"

#include <algorithm>

namespace ontapnvme {
namespace {

constexpr std::string_view kStem = "pve_snap_";  // of every release of this storage type
constexpr std::size_t kLengthMax = 100;
constexpr char kOfArray = '~';  // no name of Proxmox's begins with it

bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool IsName(std::string_view text) {
  return !text.empty() && text.size() <= kLengthMax && IsWordCharacter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsWordCharacter(c) || c == '.' || c == '-'; });
}

}  // namespace

Result<SnapshotName> SnapshotName::Parse(std::string_view text) {
  if (IsName(text)) return SnapshotName(std::string(text));
  return Error(ErrorCode::kInvalidArgument,
               "'" + CleanText(text, kLengthMax) + "' is not a name of a snapshot")
      .Try("use letters, digits, '_', '.' and '-', at most " + std::to_string(kLengthMax));
}

Result<SnapshotName> SnapshotName::ParseShown(std::string_view text) {
  if (!text.starts_with(kOfArray)) return Parse(text);
  const ArraySnapshotName of_array{std::string(text.substr(1))};
  auto name = of_array.AsShown();
  if (name && name->Text() == text) return std::move(*name);
  return Error(ErrorCode::kInvalidArgument,
               "'" + CleanText(text, kLengthMax) + "' is not a name of a snapshot of the array");
}

ArraySnapshotName::ArraySnapshotName(const SnapshotName& name)
    : text_(name.Text().starts_with(kOfArray) ? name.Text().substr(1)
                                              : std::string(kStem) + name.Text()) {}

std::optional<SnapshotName> ArraySnapshotName::OfProxmox() const {
  if (!text_.starts_with(kStem)) return std::nullopt;
  auto name = SnapshotName::Parse(std::string_view(text_).substr(kStem.size()));
  if (!name.ok()) return std::nullopt;
  return std::move(name).value();
}

std::optional<SnapshotName> ArraySnapshotName::AsShown() const {
  if (auto name = OfProxmox()) return name;
  if (!IsName(text_)) return std::nullopt;
  return SnapshotName(kOfArray + text_);
}

// "hourly.2026-01-31_1205" (ONTAP documentation, "create a snapshot policy": prefix and time).
bool ArraySnapshotName::IsOfSchedule() const {
  constexpr std::string_view kTime = ".dddd-dd-dd_dddd";
  if (text_.size() <= kTime.size()) return false;
  const auto end = std::string_view(text_).substr(text_.size() - kTime.size());
  return std::equal(end.begin(), end.end(), kTime.begin(), [](char c, char wanted) {
    return wanted == 'd' ? c >= '0' && c <= '9' : c == wanted;
  });
}

std::string ArraySnapshotName::Shown() const {
  const auto name = OfProxmox();
  return name ? name->Text() : CleanText(text_);
}

}  // namespace ontapnvme
