// SPDX-License-Identifier: AGPL-3.0-or-later
// What every test of the ontap layer stands on: a client above a script, with time moved by hand.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "fakes/fake_clock.h"
#include "fakes/scripted_transport.h"
#include "ontap/rest_client.h"

namespace ontapnvme::ontap {

inline constexpr const char* kUuidA = "0000000a-0000-0000-0000-000000000000";
inline constexpr const char* kUuidB = "0000000b-0000-0000-0000-000000000000";
inline constexpr const char* kUuidC = "0000000c-0000-0000-0000-000000000000";

inline Uuid ToUuid(const char* text) {
  return *Uuid::Parse(text);
}

class RestFixture : public ::testing::Test {
 protected:
  Deadline Budget(Duration budget = std::chrono::seconds(45)) {
    return Deadline(clock_, budget, &interrupt_);
  }
  nlohmann::json LastBody() { return nlohmann::json::parse(transport_.last().body); }

  fakes::FakeClock clock_;
  fakes::FakeInterrupt interrupt_;
  fakes::ScriptedTransport transport_;
  Log log_;
  RestClient rest_{transport_, log_, [] { return 0.0; }};
};

}  // namespace ontapnvme::ontap
