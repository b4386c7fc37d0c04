// SPDX-License-Identifier: AGPL-3.0-or-later
// Total, used and available space of a storage, and the one request that a poll of Proxmox costs.
#pragma once

#include "pve/array_facts.h"
#include "pve/context.h"
#include "pve/storage.h"

namespace ontapnvme::pve {

class CapacitySource {
 public:
  explicit CapacitySource(Context& context) : context_(&context) {}

  // With a cluster account that of the aggregate. With svm_scoped the SVM's limit or svm_capacity,
  // of which the SVM's volumes use what they do, and no more is available than the delegated
  // aggregate has, where the release tells.
  Result<CapacityInfo> Read(const Deadline& deadline);
  // Keeps an answer for the call that follows: check_connection asks for the figure that status
  // needs next, and an array that has just not answered is not waited for a second time.
  void Keep(const Result<CapacityInfo>& answer, Clock& clock);
  // What was kept a moment ago, once.
  std::optional<Result<CapacityInfo>> TakeKept(Clock& clock);

 private:
  Result<CapacityInfo> ReadOfAggregate(const Deadline& deadline);
  Result<CapacityInfo> ReadOfSvm(const Deadline& deadline);

  Context* context_;
  std::optional<Result<CapacityInfo>> kept_;
  TimePoint kept_at_{};
};

}  // namespace ontapnvme::pve
