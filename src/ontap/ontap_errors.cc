// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/ontap_errors.h"

#include <algorithm>
#include <array>

#include "base/uuid.h"

namespace ontapnvme::ontap {
namespace {

using Code = ErrorCode;
using Retry = http::RetryCause;

struct CodeRow {
  std::uint64_t ontap_code;
  Code code;
  Retry retry;
  const char* hint;  // may be nullptr
  Refusal refusal = Refusal::kNone;
};

constexpr const char* kSplitHint = "delete or split the clones first";
constexpr const char* kSpaceHint = "free space on the aggregate or grow it";
constexpr const char* kSvmHint =
    "look at the setting 'vserver' and at the SVM that the account may see";
constexpr const char* kKeyHint = "look at the key manager of the SVM (security key-manager show)";
constexpr const char* kLockedHint =
    "a newer snapshot is locked, as those of the array's anti-ransomware protection are for 12 hours: "
    "wait until it has expired, or clear the suspicion on the array ('security anti-ransomware volume "
    "attack clear-suspect')";
constexpr const char* kTaskHint = "wait for the running operation and repeat";

// Sources: "general" is NetApp's REST overview (error codes common to all calls); others name the
// call in whose reference the code stands; "seen" means that NetApp's CSI driver relies on it.
constexpr std::array kCodeRows{
    // general: the same identifiers exist.
    CodeRow{1, Code::kAlreadyExists, Retry::kFinal, nullptr},
    // general: a field is invalid, missing or superfluous: a gap in our knowledge of the release.
    CodeRow{2, Code::kInternal, Retry::kFinal, nullptr, Refusal::kFieldRefused},
    // general: not supported here.
    CodeRow{3, Code::kUnsupported, Retry::kFinal, nullptr},
    // general: no entry with these identifiers.
    CodeRow{4, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // general: permission denied; the hint is made from the request.
    CodeRow{6, Code::kPermissionDenied, Retry::kFinal, nullptr},
    // general: a resource limit. With 429 or 503 it passes; an object limit comes back each time,
    // and the tries are bounded.
    CodeRow{7, Code::kUnavailable, Retry::kRefused, "the array has reached a limit"},
    // general: a resource is in use.
    CodeRow{8, Code::kBusy, Retry::kRefused, nullptr},
    // general: RPC timed out, failed, broke; an exception; a node out of quorum. What was done
    // before is not known.
    CodeRow{65541, Code::kUnavailable, Retry::kLost, nullptr},
    CodeRow{65552, Code::kUnavailable, Retry::kLost, nullptr},
    CodeRow{65562, Code::kUnavailable, Retry::kLost, nullptr},
    CodeRow{262145, Code::kUnavailable, Retry::kLost, nullptr},
    // general: too many requests in flight.
    CodeRow{262160, Code::kUnavailable, Retry::kRefused, nullptr},
    // general: unknown argument or field: newer than this release.
    CodeRow{262179, Code::kUnsupported, Retry::kFinal, nullptr, Refusal::kFieldRefused},
    CodeRow{262196, Code::kUnsupported, Retry::kFinal, nullptr, Refusal::kFieldRefused},
    CodeRow{262203, Code::kUnsupported, Retry::kFinal, nullptr, Refusal::kFieldRefused},
    // general: value refused: it comes from a setting or a name.
    CodeRow{262185, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{262186, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{262197, Code::kInvalidArgument, Retry::kFinal, nullptr, Refusal::kFieldRefused},
    CodeRow{262245, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{262247, Code::kInvalidArgument, Retry::kFinal, nullptr},
    // consistency group PATCH: members may not be removed this way on this release.
    CodeRow{262285, Code::kUnsupported, Retry::kFinal, nullptr},
    // general: a node is out of quorum.
    CodeRow{393271, Code::kUnavailable, Retry::kLost, nullptr},
    // snapshots POST: the volume is offline or has no room for a snapshot.
    CodeRow{524479, Code::kNoSpace, Retry::kFinal, "bring the volume online or give it more space"},
    // snapshots DELETE: the volume is locked or fenced.
    CodeRow{524481, Code::kBusy, Retry::kRefused, kTaskHint},
    // volumes DELETE, the step that takes it offline: seen, passes within a minute.
    CodeRow{524486, Code::kBusy, Retry::kBusy, kTaskHint},
    // volumes PATCH restore_to: restore failed, reason in the message.
    CodeRow{524511, Code::kConflict, Retry::kFinal, nullptr},
    // volumes POST clone: parent not found.
    CodeRow{524601, Code::kNotFound, Retry::kFinal, nullptr},
    // volumes DELETE: FlexClones depend on it.
    CodeRow{524615, Code::kBusy, Retry::kFinal, kSplitHint, Refusal::kHeldByClones},
    // volumes PATCH: attribute not modifiable on this volume.
    CodeRow{524849, Code::kUnsupported, Retry::kFinal, nullptr},
    // snapshots POST: name taken.
    CodeRow{525059, Code::kAlreadyExists, Retry::kFinal, nullptr},
    // snapshots POST: the volume holds as many snapshots as it can (1023).
    CodeRow{525062, Code::kNoSpace, Retry::kFinal, "delete snapshots of this volume"},
    // volumes POST: aggregate missing, or name and UUID disagree.
    CodeRow{787140, Code::kNotFound, Retry::kFinal, "look at the setting 'aggregate'"},
    CodeRow{787141, Code::kNotFound, Retry::kFinal, "look at the setting 'aggregate'"},
    // volumes PATCH: tiering needs a FabricPool aggregate.
    CodeRow{787144, Code::kInvalidArgument, Retry::kFinal, "look at the setting 'tiering_policy'"},
    // volumes POST: SVM not found; aggregate not found; snapshot policy not found.
    CodeRow{917505, Code::kNotFound, Retry::kFinal, kSvmHint},
    CodeRow{917508, Code::kNotFound, Retry::kFinal, "look at the setting 'aggregate'"},
    // volumes POST: name taken.
    CodeRow{917526, Code::kAlreadyExists, Retry::kFinal, nullptr},
    // volumes POST and PATCH: below the minimum of 20 MB; job ended with an error.
    CodeRow{917534, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{917551, Code::kInvalidArgument, Retry::kFinal, "look at the setting 'snapshot_policy'"},
    // volumes: not online.
    CodeRow{917775, Code::kConflict, Retry::kFinal, "bring the volume online"},
    // volumes POST: autosize thresholds, minimum against maximum; snapshot reserve above 90.
    CodeRow{917829, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{917831, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{917835, Code::kInvalidArgument, Retry::kFinal, "look at 'snapshot_reserve'"},
    // volumes POST: name too long, bad first character, bad character.
    CodeRow{917886, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{917887, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{917888, Code::kInvalidArgument, Retry::kFinal, nullptr},
    // namespaces POST: volume not found; volumes: no volume with that UUID.
    CodeRow{917927, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // volumes POST, PATCH: tiering policy and cooling days disagree.
    CodeRow{918196, Code::kInvalidArgument, Retry::kFinal, "look at the setting 'tiering_policy'"},
    CodeRow{918235, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // volumes PATCH movement: it is on that aggregate; there is no such aggregate.
    CodeRow{918265, Code::kConflict, Retry::kFinal, nullptr},
    CodeRow{918267, Code::kNotFound, Retry::kFinal,
            "'storage aggregate show' on the array names them"},
    // volumes PATCH: autosize maximum above what the platform allows; minimum above the size.
    CodeRow{918521, Code::kInvalidArgument, Retry::kFinal, "lower 'autosize_max_percent'",
            Refusal::kAboveLimit},
    CodeRow{918524, Code::kInvalidArgument, Retry::kFinal, nullptr},
    // volumes: refused on this platform (ASA r2, AFX).
    CodeRow{918701, Code::kUnsupported, Retry::kFinal, nullptr},
    CodeRow{918703, Code::kUnsupported, Retry::kFinal, nullptr},
    // nvme services: no licence.
    CodeRow{1115127, Code::kUnsupported, Retry::kFinal, "install the licence for NVMe"},
    // general: no space.
    CodeRow{1245212, Code::kNoSpace, Retry::kFinal, kSpaceHint},
    // namespaces POST clone: destination exists.
    CodeRow{1260136, Code::kAlreadyExists, Retry::kFinal, nullptr},
    // general: SVM not found.
    CodeRow{1260882, Code::kNotFound, Retry::kFinal, kSvmHint},
    // snapshots: operation not allowed on this volume.
    CodeRow{1520351, Code::kUnsupported, Retry::kFinal, nullptr},
    // snapshots POST: name with a reserved prefix; invalid name.
    CodeRow{1638477, Code::kInvalidArgument, Retry::kFinal, nullptr},
    // volumes PATCH restore_to: a newer snapshot is a replication reference.
    CodeRow{1638480, Code::kBusy, Retry::kFinal, "release the newer snapshot first",
            Refusal::kNewerHeld},
    CodeRow{1638518, Code::kInvalidArgument, Retry::kFinal, nullptr},
    // snapshots POST: a revert is running.
    CodeRow{1638532, Code::kBusy, Retry::kBusy, kTaskHint},
    // snapshots DELETE: it has an owner, such as a FlexClone; it is locked or has not expired.
    CodeRow{1638543, Code::kBusy, Retry::kFinal, kSplitHint, Refusal::kHeldByClones},
    CodeRow{1638555, Code::kBusy, Retry::kFinal, kSplitHint, Refusal::kHeldByClones},
    // snapshots DELETE: not there.
    CodeRow{1638600, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // general: SVM missing, or not visible to this account; UUID and name disagree.
    CodeRow{2621462, Code::kNotFound, Retry::kFinal, kSvmHint},
    CodeRow{2621706, Code::kConflict, Retry::kFinal, kSvmHint},
    // namespaces POST: bad name.
    CodeRow{5374127, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{5374352, Code::kInvalidArgument, Retry::kFinal, nullptr},
    // general: not authorised; the hint is made from the request.
    CodeRow{6691623, Code::kPermissionDenied, Retry::kFinal, nullptr},
    // volumes PATCH: a change of the QoS workload failed, to be repeated.
    CodeRow{8454210, Code::kBusy, Retry::kBusy, nullptr},
    // general: UUID not found.
    CodeRow{8586226, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // volumes PATCH restore_to: not online; a newer snapshot is locked.
    CodeRow{9437885, Code::kConflict, Retry::kFinal, "bring the volume online"},
    CodeRow{9437886, Code::kBusy, Retry::kFinal, kLockedHint, Refusal::kNewerHeld},
    // volumes POST: a create of that name is running, perhaps our own whose answer was lost. A
    // later try finds the name taken, which the caller settles by the mark.
    CodeRow{13107405, Code::kBusy, Retry::kBusy, kTaskHint},
    // consistency groups: missing; no such UUID; not in that SVM.
    CodeRow{53411842, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    CodeRow{53411843, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    CodeRow{53411844, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // consistency groups: name taken; object exists in its scope; no such volume; cannot be added.
    CodeRow{53411852, Code::kAlreadyExists, Retry::kFinal, nullptr},
    CodeRow{53411860, Code::kAlreadyExists, Retry::kFinal, nullptr},
    CodeRow{53411861, Code::kNotFound, Retry::kFinal, nullptr},
    CodeRow{53411864, Code::kInternal, Retry::kFinal, nullptr},
    // consistency groups: the volume is in another group.
    CodeRow{53411865, Code::kConflict, Retry::kFinal, "remove the volume from the other group",
            Refusal::kInOtherGroup},
    // group snapshots POST: not permitted now; failed, or name taken (seen).
    CodeRow{53411918, Code::kConflict, Retry::kFinal, nullptr},
    CodeRow{53411921, Code::kUnavailable, Retry::kFinal, nullptr, Refusal::kFailedOrTaken},
    // group snapshots DELETE: locked; a replication reference.
    CodeRow{53412007, Code::kBusy, Retry::kFinal, kSplitHint, Refusal::kHeldByClones},
    CodeRow{53412008, Code::kBusy, Retry::kFinal, nullptr},
    // consistency groups DELETE: still replicated.
    CodeRow{53412041, Code::kBusy, Retry::kFinal, "end the replication of the group first"},
    // volumes POST, DELETE: key manager.
    CodeRow{65537463, Code::kUnavailable, Retry::kFinal, kKeyHint},
    CodeRow{65537529, Code::kUnavailable, Retry::kFinal, kKeyHint},
    CodeRow{65537600, Code::kUnavailable, Retry::kFinal, kKeyHint},
    CodeRow{65539430, Code::kUnavailable, Retry::kFinal, kKeyHint},
    CodeRow{65539431, Code::kUnavailable, Retry::kFinal, kKeyHint},
    // nvme services: the SVM has none.
    CodeRow{72089651, Code::kNotFound, Retry::kFinal, "create the NVMe service of the SVM"},
    // subsystem hosts POST: there already.
    CodeRow{72089705, Code::kAlreadyExists, Retry::kFinal, nullptr},
    // subsystems POST: bad name; host secret malformed.
    CodeRow{72089709, Code::kInvalidArgument, Retry::kFinal, "look at the setting 'subsystem'"},
    CodeRow{72089716, Code::kInvalidArgument, Retry::kFinal, "a secret begins with DHHC-1:"},
    // namespaces POST: too small, too large, path taken; not found.
    CodeRow{72089723, Code::kInvalidArgument, Retry::kFinal, nullptr, Refusal::kTooSmall},
    CodeRow{72089724, Code::kInvalidArgument, Retry::kFinal, nullptr},
    CodeRow{72089725, Code::kAlreadyExists, Retry::kFinal, nullptr},
    CodeRow{72089731, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    CodeRow{72089732, Code::kInvalidArgument, Retry::kFinal, nullptr},
    // host NQN: no qualifier, no prefix, bad date.
    CodeRow{72089771, Code::kInvalidArgument, Retry::kFinal, "look at /etc/nvme/hostnqn"},
    CodeRow{72089772, Code::kInvalidArgument, Retry::kFinal, "look at /etc/nvme/hostnqn"},
    CodeRow{72089773, Code::kInvalidArgument, Retry::kFinal, "look at /etc/nvme/hostnqn"},
    // subsystem maps POST: mapped to this subsystem already.
    CodeRow{72089790, Code::kAlreadyExists, Retry::kFinal, nullptr, Refusal::kMappedHere},
    // namespaces DELETE: still mapped.
    CodeRow{72089796, Code::kBusy, Retry::kFinal, "unmap the namespace first"},
    // subsystem maps POST: a restore of the namespace is running.
    CodeRow{72089799, Code::kBusy, Retry::kBusy, kTaskHint},
    // subsystem maps POST: a node, or several, have no LIF for NVMe.
    CodeRow{72089902, Code::kConflict, Retry::kFinal,
            "create a data LIF for NVMe/TCP on each node"},
    CodeRow{72089903, Code::kConflict, Retry::kFinal,
            "create a data LIF for NVMe/TCP on each node"},
    // subsystem maps POST: the aggregate is on its partner.
    CodeRow{72089904, Code::kUnavailable, Retry::kFinal,
            "give the aggregate back to its home node"},
    // subsystems: not found; host not found.
    CodeRow{72090001, Code::kNotFound, Retry::kFinal, "look at the setting 'subsystem'",
            Refusal::kGone},
    CodeRow{72090004, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // namespaces: not found by UUID, by name.
    CodeRow{72090006, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    CodeRow{72090007, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // namespaces POST: created, but not all is set or it could not be read back.
    CodeRow{72090009, Code::kConflict, Retry::kLost, nullptr},
    CodeRow{72090015, Code::kConflict, Retry::kLost, nullptr},
    // namespaces PATCH: overwritten, but not all properties are set.
    CodeRow{72090010, Code::kConflict, Retry::kLost, nullptr},
    CodeRow{72090011, Code::kConflict, Retry::kLost, nullptr},
    // namespaces: aggregate offline, volume offline.
    CodeRow{72090016, Code::kUnavailable, Retry::kFinal, nullptr},
    CodeRow{72090017, Code::kUnavailable, Retry::kFinal, "bring the volume online"},
    // subsystem maps DELETE: not mapped there.
    CodeRow{72090019, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // subsystems: not found by name; host not in it.
    CodeRow{72090021, Code::kNotFound, Retry::kFinal, "look at the setting 'subsystem'"},
    CodeRow{72090022, Code::kNotFound, Retry::kFinal, nullptr, Refusal::kGone},
    // subsystems POST: exists; SVM without NVMe service.
    CodeRow{72090025, Code::kAlreadyExists, Retry::kFinal, nullptr},
    CodeRow{72090029, Code::kNotFound, Retry::kFinal, "create the NVMe service of the SVM"},
    // namespaces PATCH: shrinking.
    CodeRow{72090038, Code::kInvalidArgument, Retry::kFinal, nullptr},
    // subsystems POST: an igroup has this name.
    CodeRow{72090043, Code::kConflict, Retry::kFinal, "choose another name for 'subsystem'"},
    // hosts POST: TLS needs a newer cluster; PSK invalid, missing, at odds with the key type.
    CodeRow{72090151, Code::kUnsupported, Retry::kFinal, nullptr},
    CodeRow{72090202, Code::kInvalidArgument, Retry::kFinal, "look at the key for NVMe/TLS"},
    CodeRow{72090204, Code::kInvalidArgument, Retry::kFinal, "look at the key for NVMe/TLS"},
    CodeRow{72090205, Code::kInvalidArgument, Retry::kFinal, "look at the key for NVMe/TLS"},
};
constexpr bool EachCodeStandsOnce() {
  for (std::size_t i = 0; i < kCodeRows.size(); ++i) {
    for (std::size_t j = i + 1; j < kCodeRows.size(); ++j) {
      if (kCodeRows[i].ontap_code == kCodeRows[j].ontap_code) return false;
    }
  }
  return true;
}
static_assert(EachCodeStandsOnce());

struct StatusRow {
  int status;
  Code code;
  Retry retry;
  bool is_bulk_refused = false;
};
// NetApp REST overview, "HTTP status codes", for what carries no code of the table above. An
// unknown code with 400 is a request of ours that this release does not take.
// An array that does not take '*' in place of a UUID answers with one of the rows marked so;
// anything else would fail for a single object as well.
constexpr std::array kStatusRows{
    StatusRow{400, Code::kInternal, Retry::kFinal, true},
    StatusRow{401, Code::kUnauthenticated, Retry::kFinal},
    StatusRow{403, Code::kPermissionDenied, Retry::kFinal},
    StatusRow{404, Code::kNotFound, Retry::kFinal, true},
    StatusRow{405, Code::kUnsupported, Retry::kFinal, true},
    StatusRow{409, Code::kConflict, Retry::kFinal},
    StatusRow{429, Code::kUnavailable, Retry::kRefused},
    StatusRow{500, Code::kInternal, Retry::kFinal},
    // A gateway lost the server behind it: that one may have acted.
    StatusRow{502, Code::kUnavailable, Retry::kLost},
    StatusRow{503, Code::kUnavailable, Retry::kRefused},
    StatusRow{504, Code::kUnavailable, Retry::kLost},
};

const CodeRow* FindCode(const std::optional<std::uint64_t>& code) {
  if (!code) return nullptr;
  const auto* row = std::find_if(kCodeRows.begin(), kCodeRows.end(),
                                 [&](const CodeRow& r) { return r.ontap_code == *code; });
  return row == kCodeRows.end() ? nullptr : row;
}

StatusRow FindStatus(int status) {
  const auto* row = std::find_if(kStatusRows.begin(), kStatusRows.end(),
                                 [&](const StatusRow& r) { return r.status == status; });
  return row == kStatusRows.end() ? StatusRow{status, Code::kInternal, Retry::kFinal} : *row;
}

// A role grants a path with all that is below it; the one of an object stands for no role. The
// segments up to the first that is an object's: a UUID, or '*' for all.
std::string_view PathOfRole(std::string_view path) {
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at + 1), path.size());
    const std::string_view segment = path.substr(at + 1, end - at - 1);
    if (segment == "*" || Uuid::Parse(segment)) return path.substr(0, at);
    at = end;
  }
  return path;
}

// The access level of ONTAP's REST roles that the request needs ("security login rest-role").
std::string MissingRight(std::string_view request) {
  const auto space = std::min(request.find(' '), request.size());
  const std::string_view method = request.substr(0, space);
  std::string_view path = request.substr(space);
  if (!path.empty()) path.remove_prefix(1);
  std::string access = "readonly";
  if (method == "POST") access = "read_create";
  if (method == "PATCH") access = "read_modify";
  if (method == "DELETE") access = "all";
  return "give the role of the account access '" + access + "' to " + std::string(PathOfRole(path));
}

Refusal RefusalOf(const CodeRow* row, const ArrayError& refused, const StatusRow& by_status,
                  std::string_view request) {
  if (by_status.is_bulk_refused && request.find("/*/") != std::string_view::npos) {
    return Refusal::kBulkRefused;
  }
  if (row != nullptr) return row->refusal;
  // A failed job has no status.
  if (refused.code && by_status.code == Code::kInternal) return Refusal::kUnknownCode;
  return by_status.code == Code::kNotFound ? Refusal::kGone : Refusal::kNone;
}

}  // namespace

Judgement Judge(const ArrayError& refused, std::string_view request, std::string_view doing) {
  const StatusRow by_status = FindStatus(refused.http_status);
  // Wrong credentials carry no code, whatever else stands in the body.
  const CodeRow* row = refused.http_status == 401 ? nullptr : FindCode(refused.code);
  const Code code = row != nullptr ? row->code : by_status.code;
  const Retry retry = row != nullptr ? row->retry : by_status.retry;

  const std::string message = CleanText(refused.message);
  Error error = Error(code, "cannot " + std::string(doing))
                    .Because(message.empty() ? "the array gives no reason" : message)
                    .From({.http_status = refused.http_status,
                           .array_code = refused.code,
                           .refusal = RefusalOf(row, refused, by_status, request)});
  if (refused.code) error.AddFact("ontap_code", std::to_string(*refused.code));
  if (refused.http_status != 0) error.AddFact("http", std::to_string(refused.http_status));
  error.AddFact("request", std::string(request));

  if (code == Code::kUnauthenticated) {
    error.SetHint("give the right password of the account with '--password'");
  } else if (code == Code::kPermissionDenied) {
    error.SetHint(MissingRight(request));
  } else if (row != nullptr && row->hint != nullptr) {
    error.SetHint(row->hint);
  }
  if (retry == Retry::kLost) error = std::move(error).OutcomeUnknown();
  return {std::move(error), retry};
}

}  // namespace ontapnvme::ontap
