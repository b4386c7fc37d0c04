// SPDX-License-Identifier: AGPL-3.0-or-later
// A refusal of the array. The simulator throws it: a handler may refuse at any depth, and there is
// one place that turns the refusal into a reply or into a failed job.
#pragma once

#include <exception>
#include <string>
#include <utility>

namespace ontapnvme::sim {

class ApiError : public std::exception {
 public:
  ApiError(int status, int code, std::string message, std::string target = {})
      : status_(status), code_(code), message_(std::move(message)), target_(std::move(target)) {}

  int status() const { return status_; }
  int code() const { return code_; }
  const std::string& message() const { return message_; }
  const std::string& target() const { return target_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  int status_;
  int code_;
  std::string message_;
  std::string target_;
};

// The codes that are not bound to one resource.
namespace code {
inline constexpr int kDuplicate = 1;
inline constexpr int kUnsupported = 3;
inline constexpr int kNoEntry = 4;
inline constexpr int kForbidden = 6;
inline constexpr int kInUse = 8;
inline constexpr int kMissingValue = 262177;
inline constexpr int kUnexpectedArgument = 262179;
inline constexpr int kFieldConflict = 262186;
inline constexpr int kFieldTwice = 262188;
inline constexpr int kNothingToChange = 262190;
inline constexpr int kFieldNotSettable = 262196;
inline constexpr int kBadQueryValue = 262197;
inline constexpr int kBodyNotAllowed = 262198;
inline constexpr int kBadJson = 262199;
inline constexpr int kSecretInUrl = 262202;
inline constexpr int kFieldNotPatchable = 262203;
inline constexpr int kRequired = 262212;
inline constexpr int kBadValue = 262247;
inline constexpr int kNotQueryable = 262250;
inline constexpr int kNotSortable = 262268;
inline constexpr int kNoSpace = 1245212;
inline constexpr int kSvmNotVisible = 2621462;
inline constexpr int kSvmMismatch = 2621706;
inline constexpr int kSvmMissing = 2621707;
inline constexpr int kNotAuthorised = 6691623;
}  // namespace code

[[noreturn]] inline void Refuse(int code, std::string message, std::string target = {}) {
  throw ApiError(400, code, std::move(message), std::move(target));
}

[[noreturn]] inline void RefuseConflict(int code, std::string message, std::string target = {}) {
  throw ApiError(409, code, std::move(message), std::move(target));
}

[[noreturn]] inline void RefuseMissing(int code, std::string message, std::string target = {}) {
  throw ApiError(404, code, std::move(message), std::move(target));
}

[[noreturn]] inline void RefuseNoSpace(std::string message) {
  throw ApiError(500, code::kNoSpace, std::move(message));
}

}  // namespace ontapnvme::sim
