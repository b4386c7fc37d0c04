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
  origin_ = other.origin_;
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

Error&& Error::From(const Origin& origin) && {
  origin_ = origin;
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
  if (sentence == sentence_) return wrapped;
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
  std::string bracket = "[" + std::string(ToString(code_));
  for (const auto& [key, value] : facts_) bracket += ", " + key + "=" + value;
  bracket += "]";
  return Plain() + " " + CleanText(bracket, bracket.size());
}

std::string Error::Plain() const {
  std::string text = sentence_;
  if (!reason_.empty()) text += ": " + reason_;
  if (!hint_.empty()) text += "; " + hint_;
  // A message is never cut: its end is the part that the operator needs most.
  return CleanText(text, text.size());
}

}  // namespace ontapnvme
