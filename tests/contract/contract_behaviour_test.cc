// SPDX-License-Identifier: AGPL-3.0-or-later
#include <algorithm>
#include <iostream>

#include "contract/behaviour.h"
#include "sim/switches.h"

namespace ontapnvme::contract {
namespace {

// restore_to.snapshot.force came with the last of these.
constexpr const char* kRelease = "9.17.1";
constexpr const char* kNewestRelease = "9.19.1";

const char* ReleaseFor(const std::string& switch_name) {
  return switch_name == "restore_past_newer" ? kNewestRelease : kRelease;
}

std::vector<Variant> EachPosition() {
  std::vector<Variant> variants;
  for (const auto& name : AskedSwitches()) {
    for (const auto& position : sim::FindSwitchRow(name)->positions) {
      variants.push_back({ReleaseFor(name), false, name, position});
    }
  }
  return variants;
}

class SimulatorBehaviour : public BehaviourFixture {};
INSTANTIATE_TEST_SUITE_P(Array, SimulatorBehaviour, ::testing::ValuesIn(EachPosition()),
                         [](const auto& variant) {
                           std::string name =
                               variant.param.switch_name + "_" + variant.param.position;
                           std::replace_if(
                               name.begin(), name.end(), [](char c) { return !std::isalnum(c); },
                               '_');
                           return name;
                         });

TEST_P(SimulatorBehaviour, IsToldFromOutside) {
  simulator_->Control({{"cmd", "set"}, {GetParam().switch_name, GetParam().position}});
  EXPECT_EQ(Ask(GetParam().switch_name), GetParam().position);
}

TEST(BehaviourTest, EachSwitchIsAskedOrHasAReasonNotToBe) {
  const auto asked = AskedSwitches();
  for (const auto& row : sim::SwitchRows()) {
    const bool is_asked = std::find(asked.begin(), asked.end(), row.name) != asked.end();
    EXPECT_NE(is_asked, SwitchesNotAsked().contains(row.name)) << row.name;
  }
  for (const auto& name : asked) EXPECT_NE(sim::FindSwitchRow(name), nullptr) << name;
  for (const auto& [name, reason] : SwitchesNotAsked()) {
    EXPECT_NE(sim::FindSwitchRow(name), nullptr) << name;
  }
}

// The table for docs/array-behaviour.md, of a real array or of the simulator as it stands.
class ArrayBehaviour : public BehaviourFixture {};
INSTANTIATE_TEST_SUITE_P(Array, ArrayBehaviour,
                         ::testing::Values(Variant{
                             std::getenv("ONTAPNVME_TEST_ARRAY") != nullptr ? "real" : kRelease}),
                         VariantName);

TEST_P(ArrayBehaviour, IsPrinted) {
  std::cout << "ONTAP " << release().Text() << " at " << address_.host << ":\n";
  const std::string prefix = prefix_;
  int number = 0;
  for (const auto& name : AskedSwitches()) {
    prefix_ = prefix + std::to_string(++number) + "_";
    const std::string answer = Ask(name);
    std::cout << "  " << name << std::string(28 - std::min<std::size_t>(27, name.size()), ' ')
              << answer << '\n';
    EXPECT_FALSE(answer.empty());
  }
  prefix_ = prefix;  // for what has to be removed
  for (const auto& [name, reason] : SwitchesNotAsked()) {
    std::cout << "  " << name << std::string(28 - std::min<std::size_t>(27, name.size()), ' ')
              << "not asked: " << reason << '\n';
  }
}

}  // namespace
}  // namespace ontapnvme::contract
