// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/open_snapshots.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

using testing::IsEmpty;

class OpenSnapshotsTest : public testing::Test {
 protected:
  static OpenSnapshot Open(const std::string& operation_id) {
    return {.volume = *VolumeName::Parse("vm-100-disk-0"),
            .snapshot = *SnapshotName::Parse("before"),
            .operation_id = operation_id,
            .since_s = 1700000000};
  }
  fakes::TemporaryFolder folder;
  const OpenSnapshots open{folder / "run", "tank"};
};

TEST_F(OpenSnapshotsTest, NotesAreReadByOtherProcessesAndForgottenOneByOne) {
  EXPECT_THAT(open.All(), IsEmpty());
  ASSERT_TRUE(open.Note(Open("00000000000000aa")).ok());
  ASSERT_TRUE(open.Note(Open("00000000000000bb")).ok());
  auto missed = Open("00000000000000aa");
  missed.missed_s = 1700000009;
  ASSERT_TRUE(open.Note(missed).ok());
  const OpenSnapshots other(folder / "run", "tank");
  const auto all = other.All();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].volume.Text(), "vm-100-disk-0");
  EXPECT_EQ(all[0].snapshot.Text(), "before");
  EXPECT_EQ(all[0].operation_id, "00000000000000aa");
  EXPECT_EQ(all[0].since_s, 1700000000);
  EXPECT_EQ(all[0].missed_s, 1700000009);
  EXPECT_EQ(all[1].missed_s, 0);
  EXPECT_THAT(OpenSnapshots(folder / "run", "other").All(), IsEmpty());
  other.Forget("00000000000000aa");
  other.Forget("00000000000000aa");
  EXPECT_EQ(open.All().size(), 1U);
  open.ForgetAll();
  EXPECT_THAT(open.All(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(folder / "run/tank.open-snapshots"));
}

TEST_F(OpenSnapshotsTest, WhatIsNoNoteIsPassedOver) {
  ASSERT_TRUE(open.Note(Open("00000000000000aa")).ok());
  std::ofstream(folder / "run/tank.open-snapshots/00000000000000bb") << "volume=..\nsnapshot=x\n";
  std::ofstream(folder / "run/tank.open-snapshots/00000000000000cc.tmp.1") << "volume=";
  EXPECT_EQ(open.All().size(), 1U);
}

TEST_F(OpenSnapshotsTest, NoteThatCannotBeWrittenIsAFailure) {
  std::ofstream(folder / "file") << "x";
  EXPECT_FALSE(OpenSnapshots(folder / "file", "tank").Note(Open("00000000000000aa")).ok());
}

}  // namespace
}  // namespace ontapnvme::node
