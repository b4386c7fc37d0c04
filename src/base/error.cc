// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/error.h"

namespace ontapnvme {

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
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool blank = byte <= 0x20 || byte == 0x7f;
    if (!blank) {
      clean += c;
    } else if (!clean.empty() && clean.back() != ' ') {
      clean += ' ';
    }
  }
  while (!clean.empty() && clean.back() == ' ') clean.pop_back();
  if (clean.size() <= characters_max) return clean;
  // Never cut inside a UTF-8 sequence: Perl would refuse the text.
  std::size_t cut = characters_max;
  while (cut > 0 && (static_cast<unsigned char>(clean[cut]) & 0xC0U) == 0x80U) --cut;
  return clean.substr(0, cut) + "…";
}

}  // namespace ontapnvme
