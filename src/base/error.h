// SPDX-License-Identifier: AGPL-3.0-or-later
// What went wrong, for whom, and what to do about it. Errors are values: nothing in this library
// throws but for exhausted memory and broken invariants.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ontapnvme {

// One code per different *reaction* of the caller. The texts (ToString) are stable API: they stand
// in brackets in every message and are documented in docs/errors.md.
enum class ErrorCode {
  kInvalidArgument,   // fix the setting or the request; nothing was sent
  kUnsupported,       // this ONTAP, kernel or release cannot do it
  kUnauthenticated,   // the array does not accept the account
  kPermissionDenied,  // the account lacks a right
  kNotFound,
  kAlreadyExists,
  kBusy,      // a dependant or a running operation is in the way
  kConflict,  // the object is not what this operation expects
  kNoSpace,
  kUnavailable,    // the array cannot be reached, or says "later"
  kTimedOut,       // the budget of the call is used up
  kDeviceMissing,  // mapped on the array, but no block device on this node
  kInterrupted,    // the task was stopped by a signal
  kInternal,       // contradictory or unreadable answer; never retried
};

std::string_view ToString(ErrorCode code);

// A sentence (lower case, verb first, the operator's name of the object in quotes), why, facts, a
// hint. Renders to one line. Never give it a secret: Secret has no conversion to text on purpose.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string sentence) : code_(code), sentence_(std::move(sentence)) {}
  ~Error() = default;
  Error(const Error&) = default;
  Error& operator=(const Error&) = default;
  Error(Error&&) noexcept = default;
  // Safe against itself: "error = std::move(error).Because(…)" assigns an error to itself.
  Error& operator=(Error&& other) noexcept;

  Error&& Because(std::string reason) &&;
  Error&& With(std::string key, std::string value) &&;
  Error&& Try(std::string hint) &&;
  // In place, for a caller that adds what only it knows.
  void AddFact(std::string key, std::string value);
  void SetHint(std::string hint) { hint_ = std::move(hint); }

  // The same cause, said by a caller that knows the operator's name of the object: `sentence`
  // replaces the sentence, the former one becomes the reason.
  Error Wrap(std::string sentence) const;

  // The request may have been carried out although its answer never came: ask the array before
  // deciding.
  Error&& OutcomeUnknown() &&;
  bool outcome_unknown() const { return outcome_unknown_; }

  ErrorCode code() const { return code_; }
  const std::string& sentence() const { return sentence_; }
  const std::string& reason() const { return reason_; }
  const std::vector<std::pair<std::string, std::string>>& facts() const { return facts_; }
  // The fact of that name, or an empty text.
  std::string_view Fact(std::string_view key) const;

  // "[code] sentence: reason (key=value, …); hint". One line, control characters removed.
  std::string Line() const;

 private:
  ErrorCode code_;
  std::string sentence_;
  std::string reason_;
  std::vector<std::pair<std::string, std::string>> facts_;
  std::string hint_;
  bool outcome_unknown_ = false;
};

// Text from outside as it may stand in a message: control characters, those of Unicode included,
// become spaces, runs of white space one space, bytes that are no UTF-8 question marks, and what is
// longer than `characters_max` is cut with an ellipsis.
std::string CleanText(std::string_view text, std::size_t characters_max = 300);

}  // namespace ontapnvme
