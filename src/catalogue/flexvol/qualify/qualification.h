// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs the probes, one a call: each makes its scratch objects, asks its question and takes them away.
#pragma once

#include <string>
#include <vector>

#include "base/deadline.h"
#include "base/log.h"
#include "base/result.h"
#include "catalogue/flexvol/qualify/probe.h"
#include "model/mark.h"
#include "model/probe_finding.h"
#include "model/storage_config.h"
#include "ontap/rest_client.h"

namespace ontapnvme::catalogue::flexvol {

// In the order in which they are run: what the plugin cannot do without comes first.
std::vector<const Probe*> AllProbes();
std::vector<ProbeInfo> DescribeProbes();

class Qualification {
 public:
  // All are borrowed.
  Qualification(ontap::RestClient& rest, const StorageConfig& config, const Marker& marker,
                Log& log)
      : rest_(&rest), config_(&config), marker_(&marker), log_(&log) {}

  // Name, question, position and detail. What earlier runs left is taken away first. Fails when the
  // array does not answer, and when it refuses what the plugin cannot do without; a refusal of anything
  // else is the answer, and where nothing can be told the position is "unknown". kInvalidArgument for
  // what is no probe.
  Result<ProbeFinding> Run(const std::string& name, const Deadline& deadline);

 private:
  Error WithRight(Error error) const;

  ontap::RestClient* rest_;
  const StorageConfig* config_;
  const Marker* marker_;
  Log* log_;
};

}  // namespace ontapnvme::catalogue::flexvol
