// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/volume_details.h"

#include <cctype>
#include <charconv>

#include "pve/mark_fields.h"
#include "pve/volume_name.h"

namespace ontapnvme::pve {
namespace {

constexpr std::size_t kCommentMax = 1023;  // NetApp's REST reference, volumes: comment
// Where the details begin; the mark itself has no such field.
constexpr std::string_view kDetails = " details=";

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

// Whoever edits a comment by hand must not break the listing: what is no code stays as it is.
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

}  // namespace

VolumeDetails ReadDetails(std::string_view comment) {
  if (!comment.starts_with(kMarkStem)) return {};
  const auto read = [&](std::string_view key) { return Decode(MarkField(comment, key)); };
  return {.base_name = read("base"),
          .base_snapshot = read("base_snapshot"),
          .shown_volume = read("shows"),
          .shown_snapshot = read("shows_snapshot"),
          .shown_to = read("shown_to"),
          .is_protected = MarkField(comment, "protected") == "1",
          .notes = read("notes")};
}

std::string BaseSnapshotOf(std::string_view comment) {
  auto own = ReadDetails(comment).base_snapshot;
  return own.empty() ? std::string(kBaseSnapshot) : own;
}

Result<std::string> WithDetails(std::string_view comment, const VolumeDetails& details) {
  std::string text(comment.substr(0, comment.find(kDetails)));
  if (details == VolumeDetails()) return text;
  text += std::string(kDetails) + "1";
  const auto add = [&](std::string_view key, std::string_view value) {
    if (!value.empty()) text += " " + std::string(key) + "=" + Encode(value);
  };
  add("base", details.base_name);
  add("base_snapshot", details.base_snapshot);
  add("shows", details.shown_volume);
  add("shows_snapshot", details.shown_snapshot);
  add("shown_to", details.shown_to);
  add("protected", details.is_protected ? "1" : "");
  add("notes", details.notes);
  if (text.size() <= kCommentMax) return text;
  return Error(ErrorCode::kInvalidArgument, "the notes are too long for the array")
      .With("too_many_characters", std::to_string(text.size() - kCommentMax))
      .Try("shorten them: line breaks, accents and other special characters count three or more");
}

}  // namespace ontapnvme::pve
