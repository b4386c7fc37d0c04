// SPDX-License-Identifier: AGPL-3.0-or-later
// What a test may turn while the simulator runs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "release.h"
#include "switches.h"

namespace ontapnvme::sim {

enum class Personality { kUnified, kAsaR2 };
// Which of the calls that may answer 202 do so: as the release is known to, all of them, or none.
enum class AsyncMode { kAuto, kAlways, kNever };

struct Settings {
  Release release;
  Personality personality = Personality::kUnified;
  AsyncMode async = AsyncMode::kAuto;
  int job_polls = 1;                       // the poll that finds the job finished
  bool are_errors_in_jobs = false;         // refuse inside the job instead of at once
  std::chrono::milliseconds latency{0};    // of every request
  std::chrono::milliseconds handshake{0};  // of every connection, before its first byte
  std::chrono::milliseconds job_time{0};   // a job ends no sooner, unless another request comes
  Switches switches;                       // what is not known for certain
  std::size_t page_records = 10'000;       // of a listing without max_records
  bool has_key_manager = true;
  bool has_nvme_licence = true;
  bool has_clone_licence = true;
  std::chrono::seconds clock_ahead{0};  // of the true time; shows in the header Date only
  bool is_multi_admin_on = false;
  std::vector<std::string> multi_admin_rules;  // commands that others have to approve
};

}  // namespace ontapnvme::sim
