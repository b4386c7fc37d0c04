// SPDX-License-Identifier: AGPL-3.0-or-later
// The recovery queue of one SVM: deleted volumes that have not been purged, under their names with a number
// behind. By the command line's interface, since REST has none for it; a role needs a right of its own
// for that, and SVM accounts may have it (NetApp's own driver uses it so).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/deadline.h"
#include "base/result.h"

namespace ontapnvme::ontap {

class RestClient;

struct QueuedVolume {
  std::string name;  // as it is called in the queue
  // Where the array says so.
  std::optional<std::chrono::sys_seconds> deleted_at = std::nullopt;
  std::optional<std::chrono::hours> retention = std::nullopt;
};

// Its name before it was deleted; empty for what is no name of the queue.
std::string_view NameBeforeDeletion(std::string_view queued);

class RecoveryQueue {
 public:
  RecoveryQueue(RestClient& rest, std::string svm_name) : rest_(&rest), svm_(std::move(svm_name)) {}

  // Those whose name in the queue matches the pattern ('*' any text, '|' alternatives). One request, two
  // where the array does not know the fields of times.
  Result<std::vector<QueuedVolume>> List(const std::string& pattern, const Deadline& deadline);
  // The volume is offline afterwards, not mapped, and keeps its name of the queue; its snapshot policy is
  // whatever the array gives it (NetApp's command reference). Not idempotent: kNotFound when it is not in
  // the queue any more.
  Status Recover(const std::string& queued, const Deadline& deadline);
  // For good. kNotFound likewise.
  Status Purge(const std::string& queued, const Deadline& deadline);
  // Takes deleted volumes that had this name out of the queue, for good. For arrays whose DELETE cannot
  // bypass it (before 9.12.1), or is not known to; nothing is sent to any other. Idempotent.
  Status PurgeDeleted(const std::string& name, const Deadline& deadline);

 private:
  Status Run(const std::string& command, const std::string& queued, const Deadline& deadline);

  RestClient* rest_;
  std::string svm_;
};

}  // namespace ontapnvme::ontap
