// SPDX-License-Identifier: AGPL-3.0-or-later
// Every way in which a single request can go wrong.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

namespace ontapnvme::fault {

struct Fault {
  const char* name;
  nlohmann::json rule;  // for TestArray::AddFault
};

const std::vector<Fault>& Faults();

// Of those each `step`th, from another one on for each `operation`, so that several sweeps together take
// all. All in a long run (ONTAPNVME_LONG=1). Where programs are slow, ONTAPNVME_FAULT_STEP=5 takes no
// more than each fifth.
std::vector<Fault> FaultsByStep(std::size_t step, std::size_t operation);

}  // namespace ontapnvme::fault
