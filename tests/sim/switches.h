// SPDX-License-Identifier: AGPL-3.0-or-later
// What nobody outside can know for certain about a real array: one row for each behaviour that is not
// both documented and seen in the field. A client has to be right in every position of every switch.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ontapnvme::sim {

struct SwitchRow {
  std::string name;
  std::vector<std::string> positions;  // from the one that is kindest to clients to the hardest
  std::string initial;                 // the hardest one for which there is evidence
  std::string evidence;                // who says what; empty positions have none
};

const std::vector<SwitchRow>& SwitchRows();
// Null when there is none of that name.
const SwitchRow* FindSwitchRow(std::string_view name);

class Switches {
 public:
  // Throws std::logic_error for a name or position that no row has: the question is misspelt.
  bool Is(std::string_view name, std::string_view position) const;
  // The position of a switch whose positions are numbers.
  long Number(std::string_view name) const;
  const std::string& At(std::string_view name) const;
  // Throws std::invalid_argument for what no row has.
  void Set(std::string_view name, const std::string& position);

 private:
  std::map<std::string, std::string, std::less<>> moved_;  // away from where they stand initially
};

}  // namespace ontapnvme::sim
