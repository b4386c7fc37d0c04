// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/renaming.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RenamingTest : public OperationsTest {
 protected:
  RenamingTest() { Connect(); }
  // A disk that this node has activated.
  void AddActive(const std::string& name) {
    const Uuid uuid = world.AddDisk(name, "bytes").uuid;
    const std::string leaf = Name(name).LeafText();
    node.disks.Remember(Name(name), uuid);
    ASSERT_TRUE(node.links.Point(leaf, DevicePath(uuid)).ok());
  }
  Result<std::string> Rename(const std::string& name, const std::string& new_name = "") {
    return operations.renaming.Rename(Name(name), 200, new_name, Budget());
  }
  Result<std::string> CreateBase(const std::string& name) {
    return operations.renaming.CreateBase(Name(name), Budget());
  }
  std::optional<Uuid> Remembered(const std::string& name) { return node.disks.Find(Name(name)); }
};

// ---- to another name

TEST_F(RenamingTest, DiskGoesToTheOtherVmAndMemoryAndLinkFollow) {
  AddActive("vm-100-disk-0");
  world.AddDisk("vm-200-disk-0");
  const Uuid uuid = UuidOf("vm-100-disk-0");
  const auto renamed = Rename("vm-100-disk-0");
  ASSERT_TRUE(Succeeds(renamed));
  EXPECT_EQ(*renamed, "vm-200-disk-1");
  EXPECT_EQ(world.Disk("vm-100-disk-0"), nullptr);
  EXPECT_EQ(world.Disk("vm-200-disk-1")->content, "bytes");
  EXPECT_EQ(UuidOf("vm-200-disk-1"), uuid);
  EXPECT_EQ(world.marker.Read(world.Disk("vm-200-disk-1")->comment).mark.vmid, 200U);
  EXPECT_FALSE(Remembered("vm-100-disk-0").has_value());
  EXPECT_EQ(Remembered("vm-200-disk-1"), uuid);
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
  EXPECT_EQ(LinkOf("vm-200-disk-1"), DevicePath(uuid));
}

TEST_F(RenamingTest, DiskThatIsNotActiveGetsNoLink) {
  world.AddDisk("vm-100-disk-0");
  ASSERT_TRUE(Succeeds(Rename("vm-100-disk-0")));
  EXPECT_EQ(LinkOf("vm-200-disk-0"), "");
  EXPECT_FALSE(Remembered("vm-200-disk-0").has_value()) << "the array was not asked for it";
}

TEST_F(RenamingTest, LinkedCloneKeepsItsBasePart) {
  AddActive("base-900-disk-0/vm-100-disk-0");
  const auto renamed = Rename("base-900-disk-0/vm-100-disk-0", "vm-200-disk-7");
  ASSERT_TRUE(Succeeds(renamed));
  EXPECT_EQ(*renamed, "base-900-disk-0/vm-200-disk-7");
  EXPECT_EQ(world.Disk("vm-200-disk-7")->name.base_name, "base-900-disk-0");
}

// A name that still led to the disk while another takes it would hand out that one's bytes.
TEST_F(RenamingTest, NameIsForgottenBeforeItLosesItsDisk) {
  AddActive("vm-100-disk-0");
  const Uuid uuid = UuidOf("vm-100-disk-0");
  world.FailNext("Rename", Error(ErrorCode::kUnavailable, "answer lost").OutcomeUnknown(),
                 fakes::PlainWorld::Effect::kDone);
  EXPECT_TRUE(FailedWith(Rename("vm-100-disk-0"), ErrorCode::kUnavailable));
  EXPECT_EQ(UuidOf("vm-200-disk-0"), uuid);
  EXPECT_FALSE(Remembered("vm-100-disk-0").has_value());
}

TEST_F(RenamingTest, NameThatCannotBeForgottenKeepsItsDisk) {
  AddActive("vm-100-disk-0");
  std::filesystem::create_directory(folder / ("disks.tmp." + std::to_string(::getpid())));
  EXPECT_FALSE(Rename("vm-100-disk-0").ok());
  EXPECT_NE(world.Disk("vm-100-disk-0"), nullptr);
  EXPECT_FALSE(CreateBase("vm-100-disk-0").ok());
  EXPECT_NE(world.Disk("vm-100-disk-0"), nullptr);
}

TEST_F(RenamingTest, ChosenNameThatIsLostIsFollowedByTheNext) {
  AddActive("vm-100-disk-0");
  const Uuid uuid = UuidOf("vm-100-disk-0");
  world.names_to_lose = 2;
  EXPECT_EQ(*Rename("vm-100-disk-0"), "vm-200-disk-2");
  EXPECT_EQ(Remembered("vm-200-disk-2"), uuid) << "although it was forgotten three times";
}

TEST_F(RenamingTest, RequestedNameThatIsTakenOrLostIsAnError) {
  AddActive("vm-100-disk-0");
  world.AddDisk("vm-200-disk-0");
  world.AddForeign("vm-200-disk-1");
  EXPECT_TRUE(FailedWith(Rename("vm-100-disk-0", "vm-200-disk-0"), ErrorCode::kAlreadyExists));
  EXPECT_TRUE(FailedWith(Rename("vm-100-disk-0", "vm-200-disk-1"), ErrorCode::kConflict));
  EXPECT_TRUE(FailedWith(Rename("vm-100-disk-0", "vm-300-disk-1"), ErrorCode::kInvalidArgument));
  EXPECT_TRUE(Remembered("vm-100-disk-0").has_value()) << "nothing was begun";
  world.names_to_lose = 1;
  EXPECT_TRUE(FailedWith(Rename("vm-100-disk-0", "vm-200-disk-2"), ErrorCode::kAlreadyExists));
  EXPECT_NE(world.Disk("vm-100-disk-0"), nullptr);
}

TEST_F(RenamingTest, MissingAndForeignDisksAreNotRenamed) {
  EXPECT_TRUE(FailedWith(Rename("vm-100-disk-0"), ErrorCode::kNotFound));
  world.AddForeign("vm-100-disk-0");
  EXPECT_TRUE(FailedWith(Rename("vm-100-disk-0"), ErrorCode::kNotFound));
}

TEST_F(RenamingTest, BaseImageKeepsItsName) {
  world.AddDisk("base-100-disk-0");
  EXPECT_TRUE(FailedWith(Rename("base-100-disk-0"), ErrorCode::kUnsupported));
  EXPECT_THAT(world.TakeCalls(), IsEmpty());
}

// ---- to a base image

TEST_F(RenamingTest, DiskBecomesABaseImageWithItsSnapshot) {
  AddActive("vm-100-disk-0");
  const Uuid uuid = UuidOf("vm-100-disk-0");
  const auto base = CreateBase("vm-100-disk-0");
  ASSERT_TRUE(Succeeds(base));
  EXPECT_EQ(*base, "base-100-disk-0");
  EXPECT_THAT(world.SnapshotsOf("base-100-disk-0"), ElementsAre("pve_base"));
  EXPECT_FALSE(Remembered("vm-100-disk-0").has_value());
  EXPECT_EQ(Remembered("base-100-disk-0"), uuid);
  EXPECT_EQ(LinkOf("vm-100-disk-0"), "");
}

TEST_F(RenamingTest, DiskInUseDoesNotBecomeABaseImage) {
  AddActive("vm-100-disk-0");
  Use(UuidOf("vm-100-disk-0"));
  const auto base = CreateBase("vm-100-disk-0");
  ASSERT_TRUE(FailedWith(base, ErrorCode::kBusy));
  EXPECT_THAT(base.error().sentence(), HasSubstr("cannot turn volume 'vm-100-disk-0'"));
  EXPECT_TRUE(Remembered("vm-100-disk-0").has_value());
}

TEST_F(RenamingTest, ConversionThatProxmoxDidNotWriteDownIsFound) {
  AddActive("vm-100-disk-0");
  world.FailNext("TurnIntoBase", Silence(), fakes::PlainWorld::Effect::kDone);
  EXPECT_FALSE(CreateBase("vm-100-disk-0").ok());
  EXPECT_EQ(*CreateBase("vm-100-disk-0"), "base-100-disk-0");
}

TEST_F(RenamingTest, UnknownIsNoProofThatADiskWasConverted) {
  world.AddDisk("base-100-disk-0");
  world.FailNext("Find", Silence());
  EXPECT_TRUE(FailedWith(CreateBase("vm-100-disk-0"), ErrorCode::kUnavailable));
}

TEST_F(RenamingTest, WhatIsNoDiskDoesNotBecomeABaseImage) {
  EXPECT_TRUE(FailedWith(CreateBase("vm-100-disk-0"), ErrorCode::kNotFound));
  world.AddDisk("base-100-disk-1");
  EXPECT_TRUE(FailedWith(CreateBase("base-100-disk-1"), ErrorCode::kInvalidArgument));
  world.AddHalfMade("vm-100-disk-2");
  EXPECT_TRUE(FailedWith(CreateBase("vm-100-disk-2"), ErrorCode::kNotFound));
}

}  // namespace
}  // namespace ontapnvme::pve
