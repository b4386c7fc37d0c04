// SPDX-License-Identifier: AGPL-3.0-or-later
// What a node looks at once a day: nodes that share one identity, told by the array's list of
// connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kNqn = "nqn.2014-08.org.nvmexpress:uuid:node1";

class NodeChecksTest : public testing::Test {
 protected:
  NodeChecksTest() {
    EXPECT_TRUE(rig.storage().Activate().ok());  // makes the subsystem; takes this day's turn
    NextDay();
  }
  void NextDay() {
    array.clock->Advance(std::chrono::hours(25));
    rig.storage().TakeLog();
    array.ClearLog();
  }
  void Connected(const std::string& nqn, std::string id, const std::string& address) {
    array.sim.Ctl({{"cmd", "controllers"},
                   {"subsystem", "pve"},
                   {"controllers",
                    {{{"id", "0041h"},
                      {"host", {{"nqn", nqn}, {"id", id}, {"transport_address", address}}}}}}});
  }
  // The warnings of one poll, which must succeed.
  std::string Warnings() {
    EXPECT_TRUE(rig.storage().Activate().ok());
    std::string text;
    for (const auto& record : rig.storage().TakeLog()) {
      if (record.level == LogLevel::kWarning) text += record.text + "\n";
    }
    return text;
  }

  const std::string own_id = "1b4e28ba2fa111d2883f0016d3cca427";
  TestArray array;
  StorageRig rig{array};
};

TEST_F(NodeChecksTest, OneNodeWithItsOwnConnectionsIsFine) {
  Connected(kNqn, own_id, "10.77.0.1");
  EXPECT_THAT(Warnings(), IsEmpty());
  NextDay();
  Connected("nqn.2014-08.org.nvmexpress:uuid:node2", std::string(32, 'a'), "10.77.0.2");
  EXPECT_THAT(Warnings(), IsEmpty());
  NextDay();
  Connected(kNqn, "", "");
  EXPECT_THAT(Warnings(), IsEmpty()) << "what the array does not tell is no evidence";
}

TEST_F(NodeChecksTest, AnAddressOfThisNodeInAnotherSpellingIsNoOtherNode) {
  rig.host().addresses = {"127.0.0.1", "10.77.0.1", "fd00::77"};
  for (const char* address : {"FD00:0:0:0::0077", "[fd00::0:77]:4420", "::ffff:10.77.0.1"}) {
    Connected(kNqn, own_id, address);
    EXPECT_THAT(Warnings(), IsEmpty()) << address;
    NextDay();
  }
  Connected(kNqn, own_id, "fd00::78");
  EXPECT_THAT(Warnings(), HasSubstr("from fd00::78,"));
}

TEST_F(NodeChecksTest, TheSameHostNqnFromElsewhereIsToldWithBoth) {
  Connected(kNqn, own_id, "10.77.0.2:4420");
  EXPECT_THAT(Warnings(), AllOf(HasSubstr(kNqn), HasSubstr("from 10.77.0.2,")));
}

TEST_F(NodeChecksTest, TheSameHostNqnWithAnotherHostIdIsToldWithBoth) {
  Connected(kNqn, std::string(32, 'a'), "10.77.0.1");
  EXPECT_THAT(Warnings(), AllOf(HasSubstr(std::string(32, 'a')),
                                HasSubstr("1b4e28ba-2fa1-11d2-883f-0016d3cca427")));
}

TEST_F(NodeChecksTest, TheSameHostIdUnderAnotherHostNqnIsToldWithBoth) {
  Connected("nqn.2014-08.org.nvmexpress:uuid:node2", own_id, "10.77.0.2");
  EXPECT_THAT(Warnings(), AllOf(HasSubstr(kNqn), HasSubstr("uuid:node2")));
}

TEST_F(NodeChecksTest, ItIsLookedAtOnceADayAndCostsThePollsBetweenNothing) {
  Connected(kNqn, own_id, "10.77.0.2");
  EXPECT_NE(Warnings(), "");
  const int asked = array.Count();
  for (int poll = 0; poll < 3; ++poll) EXPECT_THAT(Warnings(), IsEmpty());
  rig.Restart();
  EXPECT_THAT(Warnings(), IsEmpty()) << "another process of the node";
  EXPECT_EQ(array.Count(), asked);
  NextDay();
  EXPECT_NE(Warnings(), "");
}

TEST_F(NodeChecksTest, AnArrayThatDoesNotTellIsNoFailure) {
  array.AddFault({{"method", "GET"}, {"path", "subsystem-controllers"}, {"status", 500}});
  EXPECT_THAT(Warnings(), IsEmpty());
}

TEST_F(NodeChecksTest, ARightThatIsMissingIsNamedOnceADay) {
  array.AddFault(
      {{"method", "GET"}, {"path", "subsystem-controllers"}, {"status", 403}, {"times", -1}});
  EXPECT_THAT(Warnings(),
              HasSubstr("access 'readonly' to /api/protocols/nvme/subsystem-controllers"));
  EXPECT_THAT(Warnings(), IsEmpty());
}

}  // namespace
}  // namespace ontapnvme::fault
