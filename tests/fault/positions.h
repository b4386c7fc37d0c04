// SPDX-License-Identifier: AGPL-3.0-or-later
// Every position of every switch of the simulator, as a parameter of tests.
#pragma once

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "sim/switches.h"

namespace ontapnvme::fault {

struct Position {
  std::string name;
  std::string value;
};

inline std::vector<Position> Positions() {
  std::vector<Position> all;
  for (const auto& row : sim::SwitchRows()) {
    for (const auto& value : row.positions) all.push_back({row.name, value});
  }
  return all;
}

inline std::string AsTestName(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return text;
}

}  // namespace ontapnvme::fault
