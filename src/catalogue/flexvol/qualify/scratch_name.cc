// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/qualify/scratch_name.h"

#include <charconv>

#include "base/text.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

constexpr std::string_view kStem = "pve_probe_";
constexpr std::size_t kRunDigits = 8;
constexpr unsigned kNumberDigits = 2;
constexpr std::size_t kSubsystemMax = 64;  // NetApp's REST reference, subsystems: name
constexpr std::size_t kGroupMax = 30;      // NetApp's CSI driver cuts names to that

bool IsHex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// A prefix that does not fit is left out: a run is as good as unique.
std::string Within(std::size_t limit, std::string_view prefix, const std::string& rest) {
  return prefix.size() + rest.size() <= limit ? std::string(prefix) + rest : rest;
}

}  // namespace

std::string ScratchName::Text(std::string_view prefix) const {
  return std::string(prefix) + std::string(kStem) + run + Hex(number, kNumberDigits);
}

std::optional<ScratchName> ScratchName::Parse(std::string_view prefix, std::string_view name) {
  if (!name.starts_with(prefix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  if (!name.starts_with(kStem)) return std::nullopt;
  name.remove_prefix(kStem.size());
  if (name.size() != kRunDigits + kNumberDigits || !IsHex(name)) return std::nullopt;
  ScratchName scratch{.run = std::string(name.substr(0, kRunDigits))};
  std::from_chars(name.data() + kRunDigits, name.data() + name.size(), scratch.number, 16);
  return scratch;
}

std::string ScratchName::Pattern(std::string_view prefix) {
  return std::string(prefix) + std::string(kStem) + "*";
}

std::string ScratchName::PatternOfRun(std::string_view prefix) const {
  return std::string(prefix) + std::string(kStem) + run + "*";
}

std::string ScratchName::SubsystemName(std::string_view prefix) const {
  return Within(kSubsystemMax, prefix, std::string(kStem) + run);
}

std::string ScratchName::GroupName(std::string_view prefix) const {
  return Within(kGroupMax, prefix, std::string(kStem) + run);
}

std::string ScratchName::LongGroupName() const {
  return std::string(kStem) + run + "_longer_than_30";
}

bool ScratchName::IsMarkedBy(const Marker& marker, std::string_view comment) const {
  const auto reading = marker.Read(comment);
  return reading.owner == Owner::kOurs && reading.mark.operation_id.starts_with(run);
}

}  // namespace ontapnvme::catalogue::flexvol
