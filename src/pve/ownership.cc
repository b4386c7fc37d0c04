// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/ownership.h"

#include <random>

namespace ontapnvme::pve {
namespace {

constexpr std::string_view kStem = "pve-storage-ontapnvme ";

// The value of " key=" in a mark, or an empty text.
std::string_view Field(std::string_view mark, std::string_view key) {
  const std::string needle = " " + std::string(key) + "=";
  const std::size_t at = mark.find(needle);
  if (at == std::string_view::npos) return {};
  const std::string_view value = mark.substr(at + needle.size());
  return value.substr(0, value.find(' '));
}

std::string Hex(std::uint64_t number, unsigned digits) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(digits, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4U) {
    *digit = kDigits[number & 0xFU];
  }
  return text;
}

}  // namespace

std::string Ownership::Mark(std::uint64_t vmid, std::string_view operation_id) const {
  return std::string(kStem) + "v=1 cluster=" + cluster_id_ + " storage=" + storage_id_ +
         " vm=" + std::to_string(vmid) + " op=" + std::string(operation_id);
}

Owner Ownership::Judge(std::string_view comment) const {
  if (!comment.starts_with(kStem)) return Owner::kUnmarked;
  const bool is_ours = !cluster_id_.empty() && Field(comment, "cluster") == cluster_id_ &&
                       Field(comment, "storage") == storage_id_;
  return is_ours ? Owner::kOurs : Owner::kForeign;
}

bool Ownership::IsMadeBy(std::string_view comment, std::string_view operation_id) const {
  return Judge(comment) == Owner::kOurs && Field(comment, "op") == operation_id;
}

std::string Ownership::ShortTag() const {
  // FNV-1a: any spread will do, since a clash is noticed by the mark and reported.
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : cluster_id_ + "/" + storage_id_) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  return Hex(hash, 8);
}

std::string NewOperationId() {
  std::random_device device;
  return Hex((std::uint64_t{device()} << 32U) | device(), 16);
}

}  // namespace ontapnvme::pve
