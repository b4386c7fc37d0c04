// SPDX-License-Identifier: AGPL-3.0-or-later
// The form: "pve-storage-ontapnvme key=value key=value …", values without a space; behind
// " details=1" everything that is not about who made the object.
#include "model/mark.h"

#include <cctype>
#include <charconv>
#include <optional>
#include <random>

#include "base/text.h"
#include "model/snapshot_name.h"
#include "model/volume_name.h"

namespace ontapnvme {
namespace {

constexpr std::string_view kStem = "pve-storage-ontapnvme ";
constexpr std::string_view kBegun = "begun";
constexpr std::string_view kWhole = "whole";
constexpr std::size_t kCommentMax = 1023;  // NetApp's REST reference, volumes: comment

bool IsPlain(char c) {
  return (std::isalnum(static_cast<unsigned char>(c)) != 0 &&
          static_cast<unsigned char>(c) < 128) ||
         std::string_view("-._~:/@!*'(),;").find(c) != std::string_view::npos;
}

// As in a form of the web: plain characters as they are, a space as '+', the rest as %XX, since the
// array's alphabet for comments is not stated.
std::string Encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == ' ') {
      encoded += '+';
    } else if (IsPlain(c)) {
      encoded += c;
    } else {
      encoded += {'%', kDigits[byte >> 4U], kDigits[byte & 0xFU]};
    }
  }
  return encoded;
}

// What is not a code stays as it is: the caller compares with what Encode writes.
std::string Decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned byte = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const bool is_code =
        text[i] == '%' && digits.size() == 2 &&
        std::from_chars(digits.data(), digits.data() + 2, byte, 16).ptr == digits.data() + 2;
    if (is_code) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

// The value of " key=", or an empty text.
std::string_view Field(std::string_view comment, std::string_view key) {
  const std::string needle = " " + std::string(key) + "=";
  const std::size_t at = comment.find(needle);
  if (at == std::string_view::npos) return {};
  const std::string_view value = comment.substr(at + needle.size());
  return value.substr(0, value.find(' '));
}

std::string_view CloneText(FullClone full_clone) {
  switch (full_clone) {
    case FullClone::kNo:
      return "";
    case FullClone::kBegun:
      return kBegun;
    case FullClone::kWhole:
      return kWhole;
  }
  return "";
}

// What NewOperationId gives.
bool IsOperationId(std::string_view text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Names that end up in volume ids are names, not texts.
bool HasNamesOnly(const Mark& mark) {
  const auto is_leaf = [](const std::string& text, bool is_base) {
    const auto name = VolumeName::Parse(text);
    return name.ok() && name->base_name.empty() && (!is_base || name->is_base);
  };
  const bool is_base_fine = mark.base_name.empty() || is_leaf(mark.base_name, true);
  const bool is_shown_fine =
      mark.shown_volume.empty() ||
      (is_leaf(mark.shown_volume, false) && SnapshotName::ParseShown(mark.shown_snapshot).ok());
  return is_base_fine && is_shown_fine && mark.notes.find('\0') == std::string::npos;
}

std::optional<Mark> Parse(std::string_view comment) {
  Mark mark;
  mark.cluster_id = Field(comment, "cluster");
  mark.storage_id = Field(comment, "storage");
  mark.operation_id = Field(comment, "op");
  const std::string_view vmid = Field(comment, "vm");
  const auto end = vmid.data() + vmid.size();
  if (vmid.empty() || std::from_chars(vmid.data(), end, mark.vmid).ptr != end) return std::nullopt;
  const auto read = [&](std::string_view key) { return Decode(Field(comment, key)); };
  mark.base_name = read("base");
  mark.base_snapshot = read("base_snapshot");
  mark.shown_volume = read("shows");
  mark.shown_snapshot = read("shows_snapshot");
  mark.shown_to = read("shown_to");
  const std::string_view clone = Field(comment, "clone");
  if (clone == kBegun) mark.full_clone = FullClone::kBegun;
  if (clone == kWhole) mark.full_clone = FullClone::kWhole;
  mark.is_protected = Field(comment, "protected") == "1";
  const std::string_view taken = Field(comment, "taken");
  if (const std::size_t dot = taken.rfind('.'); dot != std::string_view::npos) {
    mark.taken_by = taken.substr(0, dot);
    std::from_chars(taken.data() + dot + 1, taken.data() + taken.size(), mark.taken_ms);
  }
  mark.adopted_from = read("adopted");
  mark.moving_to = read("moving_to");
  mark.moved_from = read("moved_from");
  mark.notes = read("notes");
  const auto text = mark.Text();
  const bool is_written_so = text.ok() && *text == comment && IsOperationId(mark.operation_id);
  if (!is_written_so || !HasNamesOnly(mark)) return std::nullopt;
  return mark;
}

}  // namespace

std::string Mark::ShortText() const {
  return std::string(kStem) + "v=1 cluster=" + cluster_id + " storage=" + storage_id +
         " vm=" + std::to_string(vmid) + " op=" + operation_id;
}

Result<std::string> Mark::Text() const {
  if (notes.find('\0') != std::string::npos) {
    return Error(ErrorCode::kInvalidArgument, "the notes hold a character that cannot be kept")
        .Try("remove the zero byte");
  }
  std::string details;
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) details += " " + std::string(key) + "=" + Encode(value);
  };
  add("base", base_name);
  add("base_snapshot", base_snapshot);
  add("shows", shown_volume);
  add("shows_snapshot", shown_snapshot);
  add("shown_to", shown_to);
  add("clone", CloneText(full_clone));
  add("protected", is_protected ? "1" : "");
  add("taken", taken_by.empty() ? "" : taken_by + "." + std::to_string(taken_ms));
  add("adopted", adopted_from);
  add("moving_to", moving_to);
  add("moved_from", moved_from);
  add("notes", notes);
  std::string text = ShortText() + (details.empty() ? "" : " details=1" + details);
  if (text.size() <= kCommentMax) return text;
  return Error(ErrorCode::kInvalidArgument, "the notes are too long for the array")
      .With("too_many_characters", std::to_string(text.size() - kCommentMax))
      .Try("shorten them: line breaks, accents and other special characters count three or more");
}

std::string Mark::BaseSnapshot() const {
  return base_snapshot.empty() ? std::string(kBaseSnapshot) : base_snapshot;
}

Mark Marker::New(std::uint64_t vmid, std::string operation_id) const {
  Mark mark;
  mark.cluster_id = cluster_id_;
  mark.storage_id = storage_id_;
  mark.vmid = vmid;
  mark.operation_id = std::move(operation_id);
  return mark;
}

MarkReading Marker::Read(std::string_view comment) const {
  if (!comment.starts_with(kStem)) return {};
  MarkReading reading{.owner = Owner::kForeign};
  if (auto mark = Parse(comment)) {
    const bool is_of_storage = mark->storage_id == storage_id_ || mark->moving_to == storage_id_;
    const bool is_ours = !cluster_id_.empty() && mark->cluster_id == cluster_id_ && is_of_storage;
    if (is_ours) reading.owner = Owner::kOurs;
    if (!is_ours) reading.foreign_cluster_id = CleanText(mark->cluster_id);
    reading.mark = std::move(*mark);
  }
  return reading;
}

Mark Marker::Adopt(const MarkReading& reading, std::uint64_t vmid) const {
  if (reading.owner != Owner::kOurs) return New(vmid, NewOperationId());
  Mark mark = reading.mark;
  mark.vmid = vmid;
  // It has come here.
  if (mark.moving_to == storage_id_) mark.moving_to.clear();
  mark.storage_id = storage_id_;
  return mark;
}

bool Marker::IsMadeBy(std::string_view comment, std::string_view operation_id) const {
  const auto reading = Read(comment);
  return reading.owner == Owner::kOurs && reading.mark.operation_id == operation_id;
}

std::string Marker::ShortTag() const {
  return ShortHash(cluster_id_ + "/" + storage_id_).substr(8);
}

std::string NewOperationId() {
  std::random_device device;
  return Hex((std::uint64_t{device()} << 32U) | device(), 16);
}

}  // namespace ontapnvme
