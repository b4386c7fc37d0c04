// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/error.h"

#include <algorithm>

namespace ontapnvme {
namespace {

unsigned ByteAt(std::string_view text, std::size_t at) {
  return static_cast<unsigned char>(text[at]);
}

// Bytes of the UTF-8 sequence at the start of `text`; 0 when none begins there.
std::size_t SequenceBytes(std::string_view text) {
  const unsigned lead = ByteAt(text, 0);
  std::size_t bytes = 1;
  if (lead >= 0x80) bytes = lead < 0xc2 || lead > 0xf4 ? 0 : 2;
  if (bytes == 2 && lead >= 0xe0) bytes = lead >= 0xf0 ? 4 : 3;
  if (bytes > text.size()) return 0;
  for (std::size_t i = 1; i < bytes; ++i) {
    if ((ByteAt(text, i) & 0xc0U) != 0x80U) return 0;
  }
  return bytes;
}

// Whether a sequence commands a terminal instead of being seen: control characters of ASCII and of
// Unicode (C1, whose U+009B begins what ESC [ does), separators of lines, changes of direction.
bool IsCommand(std::string_view sequence) {
  const unsigned lead = ByteAt(sequence, 0);
  if (sequence.size() == 1) return lead <= 0x20 || lead == 0x7f;
  const unsigned next = ByteAt(sequence, 1);
  if (sequence.size() == 2) return lead == 0xc2 && next < 0xa0;
  if (sequence.size() != 3 || lead != 0xe2) return false;
  const unsigned last = ByteAt(sequence, 2);
  return (next == 0x80 && last >= 0xa8 && last <= 0xae) ||  // U+2028 to U+202E
         (next == 0x81 && last >= 0xa6 && last <= 0xa9);    // U+2066 to U+2069
}

}  // namespace

std::string_view ToString(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid-argument";
    case ErrorCode::kUnsupported:
      return "unsupported";
    case ErrorCode::kUnauthenticated:
      return "unauthenticated";
    case ErrorCode::kPermissionDenied:
      return "permission-denied";
    case ErrorCode::kNotFound:
      return "not-found";
    case ErrorCode::kAlreadyExists:
      return "already-exists";
    case ErrorCode::kBusy:
      return "busy";
    case ErrorCode::kConflict:
      return "conflict";
    case ErrorCode::kNoSpace:
      return "no-space";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kTimedOut:
      return "timed-out";
    case ErrorCode::kDeviceMissing:
      return "device-missing";
    case ErrorCode::kInterrupted:
      return "interrupted";
    case ErrorCode::kInternal:
      return "internal";
  }
  return "internal";
}

Error& Error::operator=(Error&& other) noexcept {
  if (this == &other) return *this;
  code_ = other.code_;
  sentence_ = std::move(other.sentence_);
  reason_ = std::move(other.reason_);
  facts_ = std::move(other.facts_);
  hint_ = std::move(other.hint_);
  outcome_unknown_ = other.outcome_unknown_;
  return *this;
}

Error&& Error::Because(std::string reason) && {
  reason_ = std::move(reason);
  return std::move(*this);
}

Error&& Error::With(std::string key, std::string value) && {
  AddFact(std::move(key), std::move(value));
  return std::move(*this);
}

Error&& Error::Try(std::string hint) && {
  hint_ = std::move(hint);
  return std::move(*this);
}

Error&& Error::OutcomeUnknown() && {
  outcome_unknown_ = true;
  return std::move(*this);
}

void Error::AddFact(std::string key, std::string value) {
  facts_.emplace_back(std::move(key), std::move(value));
}

Error Error::Wrap(std::string sentence) const {
  Error wrapped = *this;
  wrapped.reason_ = reason_.empty() ? sentence_ : sentence_ + ": " + reason_;
  wrapped.sentence_ = std::move(sentence);
  return wrapped;
}

std::string_view Error::Fact(std::string_view key) const {
  for (const auto& [name, value] : facts_) {
    if (name == key) return value;
  }
  return {};
}

std::string Error::Line() const {
  std::string line = "[" + std::string(ToString(code_)) + "] " + sentence_;
  if (!reason_.empty()) line += ": " + reason_;
  if (!facts_.empty()) {
    line += " (";
    for (std::size_t i = 0; i < facts_.size(); ++i) {
      if (i > 0) line += ", ";
      line += facts_[i].first + "=" + facts_[i].second;
    }
    line += ")";
  }
  if (!hint_.empty()) line += "; " + hint_;
  // A message is never cut: the hint at its end is the part that the operator needs most.
  return CleanText(line, line.size());
}

std::string CleanText(std::string_view text, std::size_t characters_max) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const std::size_t bytes = SequenceBytes(text);
    if (bytes == 0) {
      clean += '?';
    } else if (!IsCommand(text.substr(0, bytes))) {
      clean += text.substr(0, bytes);
    } else if (!clean.empty() && clean.back() != ' ') {
      clean += ' ';
    }
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  if (clean.size() <= characters_max) return clean;
  // Never cut inside a UTF-8 sequence: Perl would refuse the text.
  std::size_t cut = characters_max;
  while (cut > 0 && (static_cast<unsigned char>(clean[cut]) & 0xC0U) == 0x80U) --cut;
  return clean.substr(0, cut) + "…";
}

}  // namespace ontapnvme
