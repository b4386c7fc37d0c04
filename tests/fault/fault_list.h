// SPDX-License-Identifier: AGPL-3.0-or-later
// Every way in which a single request can go wrong.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

namespace ontapnvme::fault {

struct Fault {
  const char* name;
  nlohmann::json rule;  // for TestArray::AddFault
};

const std::vector<Fault>& Faults();

}  // namespace ontapnvme::fault
