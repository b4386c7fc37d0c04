// SPDX-License-Identifier: AGPL-3.0-or-later
// What went wrong, for whom, and what to do about it. Errors are values: nothing in this library
// throws but for exhausted memory and broken invariants.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace ontapnvme {

// One code per different *reaction* of the caller. The texts (ToString) are stable API: they stand
// in the bracket at the end of every message and are documented in docs/errors.md.
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

// What was refused, as far as callers decide by it. One table turns the array's codes into this
// (ontap/ontap_errors.cc).
enum class Refusal {
  kNone,
  kGone,           // the object that the request names does not exist, although its SVM does
  kHeldByClones,   // FlexClones, which may be in the recovery queue, depend on the object
  kFieldRefused,   // this array does not take a field or its value; the rest may be sent without it
  kUnknownCode,    // a refusal whose code is in no table: another way may succeed
  kTooSmall,       // the array makes none that small
  kAboveLimit,     // more than this platform allows
  kBulkRefused,    // this array does not take '*' in place of a UUID in a path
  kInOtherGroup,   // a volume is in another consistency group than the request says
  kNewerHeld,      // a newer snapshot is in the way that may not be deleted, by nobody or not yet
  kJobUnseen,      // the change runs as a job that the account may not read: only the object tells
  kMappedHere,     // the namespace is mapped to that very subsystem already
  kNameLost,       // somebody else has taken the name since it was chosen: nothing was made
  kFailedOrTaken,  // one code for a failure and for a name that is taken: look which it is
  kUnusablePeer,   // something answers that cannot be talked to; trying again does not cure it
  kUnresolved,     // a portal's name has no address: this node's trouble, not the array's
};

// Where an error comes from, as numbers: what callers decide by. Facts are for people.
struct Origin {
  // 0 without an answer, and for a failed job
  int http_status = 0;
  // ONTAP's, where it gave one
  std::optional<std::uint64_t> array_code = std::nullopt;
  Refusal refusal = Refusal::kNone;
};

// A sentence (lower case, verb first, the operator's name of the object in quotes), why, what to do
// about it, facts. Renders to one line. Never give it a secret: Secret has no conversion to text on
// purpose.
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
  Error&& From(const Origin& origin) &&;
  // In place, for a caller that adds what only it knows.
  void AddFact(std::string key, std::string value);
  void SetHint(std::string hint) { hint_ = std::move(hint); }

  // The same cause and origin, said by a caller that knows the operator's name of the object:
  // `sentence` replaces the sentence, the former one becomes the reason, unless it says the same.
  Error Wrap(std::string sentence) const;

  // The request may have been carried out although its answer never came: ask the array before
  // deciding.
  Error&& OutcomeUnknown() &&;
  bool outcome_unknown() const { return outcome_unknown_; }

  ErrorCode code() const { return code_; }
  const Origin& origin() const { return origin_; }
  const std::string& sentence() const { return sentence_; }
  const std::string& reason() const { return reason_; }
  const std::string& hint() const { return hint_; }
  const std::vector<std::pair<std::string, std::string>>& facts() const { return facts_; }
  // The fact of that name, or an empty text: to show it, not to decide by it.
  std::string_view Fact(std::string_view key) const;

  // "sentence: reason; hint [code, key=value, …]". One line, control characters removed.
  std::string Line() const;
  // The same without the bracket, for quoting inside of another message, which has its own.
  std::string Plain() const;

 private:
  ErrorCode code_;
  std::string sentence_;
  std::string reason_;
  std::vector<std::pair<std::string, std::string>> facts_;
  std::string hint_;
  Origin origin_;
  bool outcome_unknown_ = false;
};

}  // namespace ontapnvme
