// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/node_checks.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class NodeChecksTest : public OperationsTest {
 protected:
  NodeChecksTest() {
    Connect();
    std::string plain_id = host.identity.host_id;
    std::erase(plain_id, '-');
    own = {host.identity.host_nqn, plain_id, "10.77.0.1"};
    other = {"nqn.other-node", "11111111111111111111111111111111", "10.77.0.2"};
  }
  std::vector<std::string> Warnings() {
    operations.node_checks.RunIfDue(Budget());
    return TakeLines(LogLevel::kWarning);
  }

  catalogue::HostConnection own;
  catalogue::HostConnection other;
};

TEST_F(NodeChecksTest, NodesWithIdentitiesOfTheirOwnAreNoTwins) {
  world.connections = {own, own, other};
  EXPECT_THAT(Warnings(), IsEmpty());
}

TEST_F(NodeChecksTest, OurHostNqnWithAnotherHostIdIsATwin) {
  own.host_id = other.host_id;
  world.connections = {other, own};
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("with host ID '" + other.host_id + "'")));
}

TEST_F(NodeChecksTest, OurHostIdWithAnotherHostNqnIsATwin) {
  other.host_id = own.host_id;
  world.connections = {own, other};
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("with host NQN 'nqn.other-node'")));
}

TEST_F(NodeChecksTest, OurIdentityFromAnotherAddressIsATwin) {
  own.address = "10.77.0.9";
  world.connections = {own};
  EXPECT_THAT(Warnings(), ElementsAre(HasSubstr("from 10.77.0.9")));
}

TEST_F(NodeChecksTest, OurAddressInAnotherSpellingIsNoTwin) {
  host.addresses = {"10.77.0.1", "2001:db8::1"};
  own.address = "2001:0DB8:0:0::1";
  world.connections = {own};
  EXPECT_THAT(Warnings(), IsEmpty());
}

TEST_F(NodeChecksTest, HostIdInAnotherSpellingIsNoTwin) {
  for (char& c : own.host_id) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  world.connections = {own};
  EXPECT_THAT(Warnings(), IsEmpty());
}

TEST_F(NodeChecksTest, WhatTheArrayOrTheKernelDoesNotSayIsNoTwin) {
  own.address = "";
  own.host_id = "";
  other.host_id = "";
  world.connections = {own, other};
  EXPECT_THAT(Warnings(), IsEmpty());
  own.address = "10.77.0.9";
  world.connections = {own};
  host.addresses.clear();
  clock.Advance(std::chrono::hours(24));
  EXPECT_THAT(Warnings(), IsEmpty());
}

TEST_F(NodeChecksTest, ChecksAreMadeOnceADay) {
  own.address = "10.77.0.9";
  world.connections = {own};
  EXPECT_EQ(Warnings().size(), 1U);
  EXPECT_THAT(world.TakeCalls(), ElementsAre("Connections"));
  clock.Advance(std::chrono::hours(23));
  EXPECT_THAT(Warnings(), IsEmpty());
  EXPECT_THAT(world.TakeCalls(), IsEmpty());
  clock.Advance(std::chrono::hours(1));
  EXPECT_EQ(Warnings().size(), 1U);
}

TEST_F(NodeChecksTest, WhatCannotBeFoundOutIsNoWarning) {
  world.FailNext("Connections", Silence());
  EXPECT_THAT(Warnings(), IsEmpty());
}

TEST_F(NodeChecksTest, WithoutAKnownSubsystemNothingIsAsked) {
  array.Forget();
  EXPECT_THAT(Warnings(), IsEmpty());
  EXPECT_THAT(world.TakeCalls(), IsEmpty());
}

}  // namespace
}  // namespace ontapnvme::pve
