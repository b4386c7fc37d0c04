// SPDX-License-Identifier: AGPL-3.0-or-later
// The answer to "is it there?". Not seeing a thing is not a proof that it is gone: an array that is
// too slow answers a listing with success and no records. So there are three answers, and a caller
// has to say what it does with each.
#pragma once

#include <optional>
#include <utility>

#include "base/result.h"

namespace ontapnvme::catalogue {

template <typename T>
class [[nodiscard]] Found {
 public:
  // It is there.
  Found(T record) : record_(std::move(record)) {}  // NOLINT: implicit on purpose
  // It cannot be told, and why.
  Found(Error reason) : reason_(std::move(reason)) {}  // NOLINT: likewise
  // The array proved that it is not there: "not found" for its UUID, or two different questions
  // agree while the SVM, by UUID, is there.
  static Found Absent() { return Found(); }

  bool is_present() const { return record_.has_value(); }
  bool is_absent() const { return !record_ && !reason_; }
  bool is_unknown() const { return reason_.has_value(); }

  const T& operator*() const { return *record_; }
  T& operator*() { return *record_; }
  const T* operator->() const { return &*record_; }
  T* operator->() { return &*record_; }
  // Of an unknown one only.
  const Error& reason() const { return *reason_; }

  // For a caller that needs it: absent is `if_absent` then.
  Result<T> Require(Error if_absent) && {
    if (record_) return std::move(*record_);
    if (reason_) return std::move(*reason_);
    return if_absent;
  }

 private:
  Found() = default;
  std::optional<T> record_;
  std::optional<Error> reason_;
};

}  // namespace ontapnvme::catalogue
