// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fault/fault_list.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace ontapnvme::fault {

const std::vector<Fault>& Faults() {
  static const std::vector<Fault> kFaults = {
      {"unauthorized", {{"status", 401}}},
      {"forbidden", {{"status", 403}, {"code", 6}}},
      // Not for a DELETE: there "not found" is the truth, or the array lies.
      {"not_found", {{"status", 404}, {"code", 4}, {"method", "GET|POST|PATCH"}}},
      {"too_many", {{"status", 429}, {"code", 262160}, {"retry_after", 1}}},
      {"server_error", {{"status", 500}, {"code", 65541}}},
      {"overloaded", {{"status", 503}}},
      {"lost_before", {{"drop_before", true}}},
      {"lost_after", {{"drop_after", true}}},
      {"cut", {{"truncated", true}}},
      {"malformed", {{"malformed", true}}},
      {"redirect", {{"redirect", "https://192.0.2.99/api/cluster"}}},
      {"silent", {{"never_answer", true}}},
      {"unheard", {{"never_answer", true}, {"applied", false}}},
      {"slow", {{"delay_ms", 3000}}},
      {"too_late", {{"delay_ms", 600000}}},
      {"huge", {{"huge", (32 << 20) + 1}}},
      {"volume_busy", {{"status", 409}, {"code", 524486}, {"method", "POST|PATCH|DELETE"}}},
      {"create_runs", {{"status", 409}, {"code", 13107405}, {"method", "POST"}}},
      {"job_failure", {{"job_failure", 393271}}},
      {"job_vanishes", {{"job_vanishes", true}}},
  };
  return kFaults;
}

std::vector<Fault> FaultsByStep(std::size_t step, std::size_t operation) {
  if (const char* asked = std::getenv("ONTAPNVME_FAULT_STEP")) {
    step = std::max<std::size_t>(step, std::stoul(asked));
  }
  if (std::getenv("ONTAPNVME_LONG") != nullptr) step = 1;
  std::vector<Fault> faults;
  for (std::size_t i = operation % step; i < Faults().size(); i += step) {
    faults.push_back(Faults()[i]);
  }
  return faults;
}

}  // namespace ontapnvme::fault
