// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/ownership.h"

#include <random>

#include "pve/mark_fields.h"

namespace ontapnvme::pve {
namespace {

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
  return std::string(kMarkStem) + "v=1 cluster=" + cluster_id_ + " storage=" + storage_id_ +
         " vm=" + std::to_string(vmid) + " op=" + std::string(operation_id);
}

std::string Ownership::Remark(std::string_view comment, std::uint64_t vmid) const {
  const bool is_marked = Judge(comment) == Owner::kOurs;
  return Mark(vmid, is_marked ? std::string(MarkField(comment, "op")) : NewOperationId());
}

Owner Ownership::Judge(std::string_view comment) const {
  if (!comment.starts_with(kMarkStem)) return Owner::kUnmarked;
  const bool is_ours = !cluster_id_.empty() && MarkField(comment, "cluster") == cluster_id_ &&
                       MarkField(comment, "storage") == storage_id_;
  return is_ours ? Owner::kOurs : Owner::kForeign;
}

bool Ownership::IsMadeBy(std::string_view comment, std::string_view operation_id) const {
  return Judge(comment) == Owner::kOurs && MarkField(comment, "op") == operation_id;
}

std::string Ownership::ShortTag() const {
  return ShortHash(cluster_id_ + "/" + storage_id_).substr(8);
}

std::string ShortHash(std::string_view text) {
  // FNV-1a: any spread will do, since a clash is noticed by the mark and reported.
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return Hex(hash, 16);
}

std::string NewOperationId() {
  std::random_device device;
  return Hex((std::uint64_t{device()} << 32U) | device(), 16);
}

}  // namespace ontapnvme::pve
