// SPDX-License-Identifier: AGPL-3.0-or-later
// A value or an Error. Small on purpose: std::expected needs C++23, which clang 14 cannot use with
// the standard library of Debian 12 (docs/adr/0001-own-result.md).
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/error.h"

namespace ontapnvme {

template <typename T>
class [[nodiscard]] Result {
 public:
  // Implicit, so that a function returns a value or an error as it is.
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  // NOLINTNEXTLINE(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  const T& value() const& { return std::get<0>(state_); }
  T& value() & { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const& { return std::get<1>(state_); }
  Error& error() & { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

// Success, or an Error.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *error_; }
  Error& error() & { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

// True when `result` failed with `code`.
template <typename R>
bool FailedWith(const R& result, ErrorCode code) {
  return !result.ok() && result.error().code() == code;
}

}  // namespace ontapnvme

#define ONTAPNVME_JOIN_(a, b) a##b
#define ONTAPNVME_JOIN(a, b) ONTAPNVME_JOIN_(a, b)

// TRY(const auto size, RequireUint(json, "/size")): declares `size`, or returns the error to the
// caller.
#define TRY(declaration, expression)                                 \
  auto ONTAPNVME_JOIN(try_result_, __LINE__) = (expression);         \
  if (!ONTAPNVME_JOIN(try_result_, __LINE__).ok())                   \
    return std::move(ONTAPNVME_JOIN(try_result_, __LINE__)).error(); \
  declaration = std::move(ONTAPNVME_JOIN(try_result_, __LINE__)).value()

// The same for a Status.
#define TRY_STATUS(expression)                                                                     \
  do {                                                                                             \
    if (auto try_status_ = (expression); !try_status_.ok()) return std::move(try_status_).error(); \
  } while (false)
