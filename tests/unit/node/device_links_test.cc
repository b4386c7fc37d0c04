// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/device_links.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

using testing::IsEmpty;
using testing::UnorderedElementsAre;

class DeviceLinksTest : public testing::Test {
 protected:
  fakes::TemporaryFolder folder;
  const DeviceLinks links{folder / "dev", "tank"};
  const VolumeName disk = *VolumeName::Parse("vm-101-disk-3");
};

TEST_F(DeviceLinksTest, NameIsThatOfTheVolumeAndItsSnapshot) {
  EXPECT_EQ(LinkName(disk), "vm-101-disk-3");
  EXPECT_EQ(LinkName(*VolumeName::Parse("base-100-disk-0/vm-101-disk-3")), "vm-101-disk-3");
  EXPECT_EQ(LinkName(disk, *SnapshotName::Parse("before")), "vm-101-disk-3@before");
  EXPECT_EQ(links.Path("vm-101-disk-3@before"), folder / "dev/tank/vm-101-disk-3@before");
}

TEST_F(DeviceLinksTest, LinkIsPointedMovedAndRemoved) {
  EXPECT_FALSE(links.Target("vm-101-disk-3").has_value());
  ASSERT_TRUE(links.Point("vm-101-disk-3", "/dev/nvme0n1").ok());
  EXPECT_EQ(links.Target("vm-101-disk-3"), "/dev/nvme0n1");
  ASSERT_TRUE(links.Point("vm-101-disk-3", "/dev/nvme0n2").ok());
  EXPECT_EQ(links.Target("vm-101-disk-3"), "/dev/nvme0n2");
  EXPECT_EQ(folder.Count("dev/tank"), 1U) << "no draft is left";
  ASSERT_TRUE(links.Remove("vm-101-disk-3").ok());
  EXPECT_FALSE(links.Target("vm-101-disk-3").has_value());
  EXPECT_TRUE(links.Remove("vm-101-disk-3").ok()) << "idempotent";
}

TEST_F(DeviceLinksTest, RemovingWhereNoLinkEverWasSucceeds) {
  EXPECT_TRUE(links.Remove("vm-101-disk-3").ok());
  folder.Write("dev", "a file where the folder should be");
  EXPECT_TRUE(links.Remove("vm-101-disk-3").ok());
}

TEST_F(DeviceLinksTest, RightLinkIsNotWrittenAgain) {
  ASSERT_TRUE(links.Point("vm-101-disk-3", "/dev/nvme0n1").ok());
  struct stat before {};
  struct stat after {};
  ASSERT_EQ(::lstat(links.Path("vm-101-disk-3").c_str(), &before), 0);
  ASSERT_TRUE(links.Point("vm-101-disk-3", "/dev/nvme0n1").ok());
  ASSERT_EQ(::lstat(links.Path("vm-101-disk-3").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(DeviceLinksTest, DraftOfAKilledProcessIsInNobodysWay) {
  ASSERT_TRUE(links.Point("vm-101-disk-3", "/dev/nvme0n1").ok());
  const std::string draft = links.Path("vm-101-disk-3") + ".new." + std::to_string(::getpid());
  std::filesystem::create_symlink("/dev/old", draft);
  ASSERT_TRUE(links.Point("vm-101-disk-3", "/dev/nvme0n2").ok());
  EXPECT_EQ(links.Target("vm-101-disk-3"), "/dev/nvme0n2");
}

TEST_F(DeviceLinksTest, LinkThatCannotBeMadeIsAnErrorAndLeavesNothing) {
  folder.Write("dev", "a file where the folder should be");
  const auto pointed = links.Point("vm-101-disk-3", "/dev/nvme0n1");
  ASSERT_TRUE(FailedWith(pointed, ErrorCode::kInternal));
  EXPECT_EQ(pointed.error().Fact("path"), links.Path("vm-101-disk-3"));
  EXPECT_FALSE(links.Target("vm-101-disk-3").has_value());
}

TEST_F(DeviceLinksTest, FolderInPlaceOfALinkIsAnErrorAndStays) {
  std::filesystem::create_directories(folder / "dev/tank/vm-101-disk-3/x");
  EXPECT_FALSE(links.Point("vm-101-disk-3", "/dev/nvme0n1").ok());
  EXPECT_FALSE(links.Remove("vm-101-disk-3").ok());
  EXPECT_EQ(folder.Count("dev/tank"), 1U) << "no draft is left";
}

TEST_F(DeviceLinksTest, SnapshotsWithALinkAreThoseOfThatVolumeOnly) {
  EXPECT_THAT(links.SnapshotsOf(disk), IsEmpty());
  for (const char* name : {"vm-101-disk-3", "vm-101-disk-3@before", "vm-101-disk-3@after",
                           "vm-101-disk-33@x", "vm-101-disk-0@y"}) {
    ASSERT_TRUE(links.Point(name, "/dev/nvme0n1").ok());
  }
  ASSERT_TRUE(std::filesystem::exists(folder / "dev/tank"));
  folder.Write("dev/tank/vm-101-disk-3@.no name", "");
  std::vector<std::string> names;
  for (const auto& one : links.SnapshotsOf(disk)) names.push_back(one.Text());
  EXPECT_THAT(names, UnorderedElementsAre("before", "after"));
}

class RemoveUnlessTest : public DeviceLinksTest {
 protected:
  RemoveUnlessTest() {
    used = folder.Write("used", "");
    idle = folder.Write("idle", "");
    EXPECT_TRUE(links.Point("vm-101-disk-0", used).ok());
    EXPECT_TRUE(links.Point("vm-101-disk-1", idle).ok());
    EXPECT_TRUE(links.Point("vm-101-disk-2", folder / "gone").ok());
  }
  std::string used;
  std::string idle;
};

TEST_F(RemoveUnlessTest, OnlyLinksToDevicesThatAreThereAndKeptStay) {
  std::vector<std::string> asked;
  links.RemoveUnless([&](const std::string& device) {
    asked.push_back(device);
    return device == used;
  });
  EXPECT_EQ(links.Target("vm-101-disk-0"), used);
  EXPECT_FALSE(links.Target("vm-101-disk-1").has_value());
  EXPECT_FALSE(links.Target("vm-101-disk-2").has_value());
  EXPECT_THAT(asked, UnorderedElementsAre(used, idle));
  EXPECT_TRUE(folder.Has("idle")) << "links go, not what they point at";
}

TEST_F(RemoveUnlessTest, LastLinkTakesTheFolderOfItsStorageOnly) {
  ASSERT_TRUE(DeviceLinks(folder / "dev", "tank2").Point("vm-101-disk-0", used).ok());
  links.RemoveUnless([](const std::string&) { return false; });
  EXPECT_FALSE(folder.Has("dev/tank"));
  EXPECT_TRUE(folder.Has("dev/tank2/vm-101-disk-0"));
  links.RemoveUnless([](const std::string&) { return true; });
}

}  // namespace
}  // namespace ontapnvme::node
