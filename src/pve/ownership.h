// SPDX-License-Identifier: AGPL-3.0-or-later
// Who made an object on the array. Every object carries a mark in its comment: a create whose
// answer was lost is settled by reading it, and what carries another owner's mark is invisible and
// untouchable. Unmarked objects with our names come from older installations and are ours.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace ontapnvme::pve {

enum class Owner { kOurs, kUnmarked, kForeign };

class Ownership {
 public:
  Ownership(std::string cluster_id, std::string storage_id)
      : cluster_id_(std::move(cluster_id)), storage_id_(std::move(storage_id)) {}

  // The comment for an object of `vmid` that operation `operation_id` makes.
  std::string Mark(std::uint64_t vmid, std::string_view operation_id) const;
  // The comment of one of our objects after it went to `vmid`: the operation that made it stays the
  // same. One without a mark gets one.
  std::string Remark(std::string_view comment, std::uint64_t vmid) const;
  Owner Judge(std::string_view comment) const;
  bool IsForeign(std::string_view comment) const { return Judge(comment) == Owner::kForeign; }
  // Ours, and made by exactly that operation.
  bool IsMadeBy(std::string_view comment, std::string_view operation_id) const;

  // A short tag of this cluster and storage, for a group whose usual name another owner has.
  std::string ShortTag() const;

 private:
  std::string cluster_id_;
  std::string storage_id_;
};

// True when a create that failed so may have been carried out all the same, by us or by somebody
// else: the mark of the object tells, and creating again could make a second one.
inline bool MayHaveHappened(const Error& error) {
  return error.outcome_unknown() || error.code() == ErrorCode::kAlreadyExists;
}

// 16 hex digits for a part of a name; the same text gives the same.
std::string ShortHash(std::string_view text);

// A new id for one operation: 16 hex digits.
std::string NewOperationId();

}  // namespace ontapnvme::pve
