// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/facts_file.h"

#include <gtest/gtest.h>

#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

const FactsFile::Facts kFacts = {
    {"release", "9.16.1"}, {"lifs", "192.0.2.1 2001:db8::1"}, {"odd", "a=b=c"}, {"empty", ""}};

class FactsFileTest : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  const FactsFile file{folder / "run", "tank", "settings a"};
};

TEST_F(FactsFileTest, FactsComeBackAsStored) {
  EXPECT_FALSE(file.Load().has_value());
  file.Store(kFacts);
  EXPECT_EQ(file.Load(), kFacts);
  EXPECT_EQ(FactsFile(folder / "run", "tank", "settings a").Load(), kFacts) << "another process";
}

TEST_F(FactsFileTest, LaterFactsReplaceTheFormerOnesAltogether) {
  file.Store(kFacts);
  file.Store({{"other", "1"}});
  EXPECT_EQ(file.Load(), (FactsFile::Facts{{"other", "1"}}));
  file.Store({});
  EXPECT_EQ(file.Load(), FactsFile::Facts());
}

TEST_F(FactsFileTest, FactsOfOtherSettingsOrStoragesAreNotTaken) {
  file.Store(kFacts);
  EXPECT_FALSE(FactsFile(folder / "run", "tank", "settings b").Load().has_value());
  EXPECT_FALSE(FactsFile(folder / "run", "tank", "settings").Load().has_value());
  EXPECT_FALSE(FactsFile(folder / "run", "tan", "settings a").Load().has_value());
}

TEST_F(FactsFileTest, ForgottenFactsAreGone) {
  file.Store(kFacts);
  FactsFile(folder / "run", "other", "settings a").Store(kFacts);
  file.Forget();
  file.Forget();
  EXPECT_FALSE(file.Load().has_value());
  EXPECT_TRUE(FactsFile(folder / "run", "other", "settings a").Load().has_value());
}

TEST_F(FactsFileTest, FileIsCutShortAnywhereAndIgnored) {
  file.Store(kFacts);
  const std::string whole = folder.Read("run/tank.facts");
  ASSERT_TRUE(file.Load().has_value());
  for (std::size_t size = 0; size + 1 < whole.size(); ++size) {
    folder.Write("run/tank.facts", whole.substr(0, size));
    EXPECT_FALSE(file.Load().has_value()) << "cut at " << size;
  }
}

TEST_F(FactsFileTest, FileOfAnotherFormatIsIgnored) {
  file.Store(kFacts);
  const std::string whole = folder.Read("run/tank.facts");
  ASSERT_EQ(whole.find("format=1\n"), 0U);
  folder.Write("run/tank.facts", "format=2\n" + whole.substr(9));
  EXPECT_FALSE(file.Load().has_value());
  folder.Write("run/tank.facts", whole.substr(9));
  EXPECT_FALSE(file.Load().has_value());
  folder.Write("run/tank.facts", std::string("\0\xff=\n=\n", 7));
  EXPECT_FALSE(file.Load().has_value());
}

TEST_F(FactsFileTest, FileThatIsTooLargeIsIgnored) {
  file.Store({{"long", std::string(16 * 1024, 'x')}});
  EXPECT_FALSE(file.Load().has_value());
  file.Store({{"long", std::string(15 * 1024, 'x')}});
  EXPECT_TRUE(file.Load().has_value());
}

TEST_F(FactsFileTest, LinkInPlaceOfTheFileIsNotFollowed) {
  file.Store(kFacts);
  std::filesystem::rename(folder / "run/tank.facts", folder / "elsewhere");
  std::filesystem::create_symlink(folder / "elsewhere", folder / "run/tank.facts");
  EXPECT_FALSE(file.Load().has_value());
}

TEST_F(FactsFileTest, StateIsForRootOnlyAndLeavesNoDraft) {
  file.Store(kFacts);
  EXPECT_EQ(folder.Mode("run"), 0700U);
  EXPECT_EQ(folder.Mode("run/tank.facts"), 0600U);
  EXPECT_EQ(folder.Count("run"), 1U);
}

TEST_F(FactsFileTest, WhereNothingCanBeWrittenNothingIsRemembered) {
  const FactsFile nowhere(folder / "not/there", "tank", "settings a");
  nowhere.Store(kFacts);
  EXPECT_FALSE(nowhere.Load().has_value());
}

}  // namespace
}  // namespace ontapnvme::node
