// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/resolve_by_labels.h"

#include <algorithm>

#include "nvme/topology.h"

namespace ontapnvme::nvme {
namespace {

// What the search saw, for the report.
struct Seen {
  unsigned asked = 0;
  unsigned without_path = 0;
  unsigned without_answer = 0;
  std::string last_reason;

  std::string Sentence() const {
    std::string text = std::to_string(asked) + " devices asked, none is it";
    if (without_path > 0) text += ", " + std::to_string(without_path) + " have no live path";
    if (without_answer > 0) {
      text += ", " + std::to_string(without_answer) + " gave no labels (" + last_reason + ")";
    }
    return text;
  }
};

bool HasLivePath(const Topology& topology, const Head& head) {
  const auto paths = topology.PathsOf(head.name, head.subsystem_nqn);
  return std::any_of(paths.begin(), paths.end(), [](const auto& path) { return path.IsLive(); });
}

}  // namespace

bool AreLabelsOf(const OntapLabels& labels, const WantedDevice& wanted) {
  return (wanted.svm_name.empty() || labels.svm_name == wanted.svm_name) &&
         (wanted.volume_name.empty() || labels.volume_name == wanted.volume_name);
}

Result<std::string> ResolveByLabels(const RootedFiles& sys, const RootedFiles& dev,
                                    LabelReader& reader, const WantedDevice& wanted,
                                    LabelScope scope) {
  const Topology topology(sys);
  TRY(const auto heads, topology.Heads(wanted.subsystem_nqn));
  Seen seen;
  for (const auto& head : heads) {
    if (scope == LabelScope::kHeadsWithoutUuid && topology.UuidOf(head.directory)) continue;
    const auto nsid = topology.NsidOf(head.name);
    if (!nsid) continue;  // it goes away at this moment
    if (!HasLivePath(topology, head)) {
      ++seen.without_path;
      continue;
    }
    ++seen.asked;
    const auto answer = reader.Identify({dev.Full(head.name), *nsid, head.subsystem_nqn});
    if (answer.labels && answer.uuid == wanted.uuid && AreLabelsOf(*answer.labels, wanted)) {
      return head.name;
    }
    if (answer.labels) continue;
    ++seen.without_answer;
    seen.last_reason = answer.why_none;
    if (answer.timed_out) break;
  }
  return Error(ErrorCode::kDeviceMissing, seen.Sentence());
}

}  // namespace ontapnvme::nvme
