// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/cluster_members.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "base/files.h"
#include "fakes/members_file.h"
#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

class ClusterMembersTest : public testing::Test {
 protected:
  ClusterMembersTest() { Tell("other", "nqn.other"); }
  void Tell(const std::string& name, const std::string& nqn) {
    fakes::WriteMembers(folder / "own", name, {{name, true}});
    ASSERT_TRUE(ClusterMembers(folder / "own", folder / "hosts").TellNqn(nqn).ok());
  }
  bool IsDown(const std::map<std::string, bool>& nodes, bool is_quorate = true,
              const std::string& nqn = "nqn.other") {
    fakes::WriteMembers(folder / "members", "node1", nodes, is_quorate);
    return members.IsKnownDown(nqn);
  }
  static std::string Text(const std::string& path) {
    return ReadSmallFile(path, 10000).value_or("");
  }

  fakes::TemporaryFolder folder;
  const ClusterMembers members{folder / "members", folder / "hosts"};
};

TEST_F(ClusterMembersTest, NodeIsDownWhenAClusterWithQuorumSaysSo) {
  EXPECT_TRUE(IsDown({{"node1", true}, {"other", false}}));
  EXPECT_FALSE(IsDown({{"node1", true}, {"other", true}}));
  EXPECT_FALSE(IsDown({{"node1", true}, {"other", false}}, /*is_quorate=*/false));
  EXPECT_FALSE(IsDown({{"node1", false}, {"other", false}})) << "this node is not in it";
  EXPECT_FALSE(IsDown({{"other", false}})) << "nor here";
}

TEST_F(ClusterMembersTest, WhatIsNotSaidIsNotDown) {
  EXPECT_FALSE(members.IsKnownDown("nqn.other")) << "no such file";
  EXPECT_FALSE(IsDown({{"node1", true}})) << "it is no member: it may have another cluster";
  EXPECT_FALSE(IsDown({{"node1", true}, {"other", false}}, true, "nqn.unheard-of"));
  EXPECT_FALSE(IsDown({{"node1", true}, {"other", false}}, true, "nqn.othe"));
  EXPECT_FALSE(ClusterMembers("", "").IsKnownDown("nqn.other"));
  EXPECT_TRUE(ClusterMembers("", "").TellNqn("nqn.other").ok());
}

TEST_F(ClusterMembersTest, OfTwoNodesWithOneNqnBothMustBeDown) {
  Tell("third", "nqn.other");
  EXPECT_FALSE(IsDown({{"node1", true}, {"other", false}, {"third", true}}));
  EXPECT_TRUE(IsDown({{"node1", true}, {"other", false}, {"third", false}}));
}

TEST_F(ClusterMembersTest, NoteThatCannotBeReadMayBeOfThatNode) {
  std::filesystem::create_directory(folder / "hosts/third");
  EXPECT_FALSE(IsDown({{"node1", true}, {"other", false}}));
}

TEST_F(ClusterMembersTest, NodeThatGotAnotherNqnIsKnownByThatOne) {
  Tell("other", "nqn.new");
  EXPECT_FALSE(IsDown({{"node1", true}, {"other", false}}));
  EXPECT_TRUE(IsDown({{"node1", true}, {"other", false}}, true, "nqn.new"));
}

TEST_F(ClusterMembersTest, WhoHasLeftIsKnownOnlyWhereTheMembersAre) {
  const auto left = [&](const std::map<std::string, bool>& nodes, bool is_quorate = true) {
    fakes::WriteMembers(folder / "members", "node1", nodes, is_quorate);
    return members.NqnsOfLeft();
  };
  EXPECT_TRUE(ClusterMembers("", "").NqnsOfLeft()->empty()) << "nobody has told anything";
  Tell("gone", "nqn.gone");
  Tell("other", "nqn.other");
  using Left = std::map<std::string, std::string>;
  EXPECT_EQ(left({{"node1", true}, {"other", false}}), (Left{{"nqn.gone", "gone"}}));
  EXPECT_EQ(left({{"node1", true}, {"other", false}, {"gone", false}}), Left());
  EXPECT_FALSE(left({{"node1", true}, {"other", false}}, /*is_quorate=*/false));
  EXPECT_FALSE(left({{"node1", false}, {"other", true}})) << "this node is not in it";
  Tell("third", "nqn.gone");
  EXPECT_EQ(left({{"node1", true}, {"other", true}, {"third", true}}), Left())
      << "a member has it by now";
  std::filesystem::create_directory(folder / "hosts/fourth");
  EXPECT_FALSE(left({{"node1", true}, {"other", false}})) << "not all can be read";
  std::filesystem::remove(folder / "members");
  EXPECT_FALSE(members.NqnsOfLeft());
}

TEST_F(ClusterMembersTest, FileThatIsCutOrOddIsNoAnswer) {
  ASSERT_TRUE(IsDown({{"node1", true}, {"other", false}}));
  const std::string whole = Text(folder / "members");
  ASSERT_TRUE(MemberList::Parse(whole));
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    EXPECT_FALSE(MemberList::Parse(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(MemberList::Parse(whole + "x\n"));
  for (const auto& [from, to] : {std::pair{"\"online\": 0", "\"online\": 2"},
                                 {"\"online\": 0", "\"offline\": 1"},
                                 {"\"other\"", "\"node1\""},
                                 {"\"quorate\": 1", "\"quorate\": yes"},
                                 {"\"nodename\"", "\"name\""}}) {
    std::string odd = whole;
    odd.replace(odd.find(from), std::string(from).size(), to);
    EXPECT_FALSE(MemberList::Parse(odd)) << odd;
  }
}

// A node alone, without a cluster.
TEST_F(ClusterMembersTest, NodeAloneKnowsOfNoOther) {
  EXPECT_FALSE(MemberList::Parse("{\n\"nodename\": \"node1\",\n\"version\": 0\n}\n"));
}

}  // namespace
}  // namespace ontapnvme::node
