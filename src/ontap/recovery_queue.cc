// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/recovery_queue.h"

#include "ontap/flexvol_settings.h"
#include "ontap/query_value.h"
#include "ontap/rest_calls.h"

namespace ontapnvme::ontap {
namespace {

constexpr const char* kQueuePath = "/api/private/cli/volume/recovery-queue";
// The private CLI wants its fields named.
constexpr const char* kNames = "vserver,volume";
constexpr const char* kNamesAndTimes = "vserver,volume,deletion_request_time,retention_hours";

QueuedVolume ParseQueued(FieldReader& fields) {
  QueuedVolume queued;
  queued.name = fields.RequireText("/volume");
  queued.deleted_at = ParseTime(fields.OptionalText("/deletion_request_time"));
  const auto hours = fields.OptionalUint("/retention_hours");
  // The largest that the command takes (NetApp's command reference, volume recovery-queue modify).
  constexpr std::uint64_t kHoursMax = 4'294'967'295;
  if (hours && *hours <= kHoursMax) queued.retention = std::chrono::hours(*hours);
  return queued;
}

}  // namespace

std::string_view NameBeforeDeletion(std::string_view queued) {
  const auto underscore = queued.rfind('_');
  const bool has_number = underscore != queued.npos && underscore + 1 < queued.size() &&
                          queued.find_first_not_of("0123456789", underscore + 1) == queued.npos;
  return has_number ? queued.substr(0, underscore) : std::string_view();
}

Result<std::vector<QueuedVolume>> RecoveryQueue::List(const std::string& pattern,
                                                      const Deadline& deadline) {
  const auto list = [&](const char* fields) {
    ReadRequest request{.path = kQueuePath, .doing = "list the recovery queue"};
    request.query.Add("vserver", LiteralFilter(svm_))
        .Add("volume", PatternFilter(pattern))
        .Add("fields", fields);
    return ReadAll(*rest_, request, ParseQueued, deadline);
  };
  auto listed = list(kNamesAndTimes);
  if (!listed.ok() && IsNotTaken(listed.error())) listed = list(kNames);
  return listed;
}

Status RecoveryQueue::Run(const std::string& command, const std::string& queued,
                          const Deadline& deadline) {
  return Apply(*rest_,
               ChangeRequest::Post(std::string(kQueuePath) + "/" + command,
                                   {{"vserver", svm_}, {"volume", queued}},
                                   command + " deleted volume " + Quoted(queued)),
               deadline);
}

Status RecoveryQueue::Recover(const std::string& queued, const Deadline& deadline) {
  return Run("recover", queued, deadline);
}

Status RecoveryQueue::Purge(const std::string& queued, const Deadline& deadline) {
  return Run("purge", queued, deadline);
}

Status RecoveryQueue::PurgeDeleted(const std::string& name, const Deadline& deadline) {
  if (rest_->IsKnownAtLeast(kForceDelete)) return {};
  TRY(const auto all_queued, List(name + "_*", deadline));
  for (const auto& queued : all_queued) {
    if (NameBeforeDeletion(queued.name) != name) continue;
    TRY_STATUS(Purge(queued.name, deadline));
  }
  return {};
}

}  // namespace ontapnvme::ontap
