// SPDX-License-Identifier: AGPL-3.0-or-later
// A probe: one question to the array that its documentation leaves open, put to scratch objects.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "catalogue/flexvol/qualify/scratch.h"

namespace ontapnvme::catalogue::flexvol {

struct Answer {
  std::string position;
  std::string detail = {};
};

struct Probe {
  const char* name;
  const char* question;
  const char* steps;  // what it does to scratch objects
  std::vector<const char*> positions;
  Result<Answer> (*run)(Scratch& scratch);
  // The plugin cannot do without what it tries: its failure is the run's.
  bool is_needed = false;
};

// One table a group of probes.
const std::vector<Probe>& BasicProbes();
const std::vector<Probe>& VolumeProbes();
const std::vector<Probe>& DeletionProbes();
const std::vector<Probe>& RestoreProbes();
const std::vector<Probe>& CloneProbes();
const std::vector<Probe>& GroupProbes();

// The array has looked at the request and does not do it. Anything else says nothing of how it behaves.
bool IsRefusal(const Error& error);
// The array's code, or what else there is to tell a refusal by.
std::string CodeOf(const Error& error);
// "take" or "refuse" with the code. Fails with what is neither.
Result<Answer> TakenOrRefused(const Status& status);

}  // namespace ontapnvme::catalogue::flexvol
