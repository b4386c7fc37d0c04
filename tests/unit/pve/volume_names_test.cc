// SPDX-License-Identifier: AGPL-3.0-or-later
// Which name a new volume gets, and what happens when it is lost meanwhile.
#include "pve/volume_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ontapnvme::pve {
namespace {

using testing::HasSubstr;

class VolumeNamesTest : public testing::Test {
 protected:
  VolumeNamesTest() {
    config.storage_id = "tank";
    config.svm = "svm1";
  }

  void AddOurs(const std::string& text) {
    catalogue::Volume volume;
    volume.name = *VolumeName::Parse(text);
    volume.container_name = "t_" + text;
    neighbours.ours.push_back(std::move(volume));
  }
  void AddForeign(const std::string& text) {
    neighbours.foreign.push_back({.name = *VolumeName::Parse(text), .container_name = "t_" + text});
  }
  std::string Chosen(const std::string& requested = "") {
    const auto name = ChooseName(config, 100, requested, neighbours);
    return name.ok() ? name->Text() : std::string(ToString(name.error().code()));
  }

  StorageConfig config;
  catalogue::Neighbours neighbours;
};

TEST_F(VolumeNamesTest, TheLowestFreeNumberIsChosen) {
  EXPECT_EQ(Chosen(), "vm-100-disk-0");
  AddOurs("vm-100-disk-0");
  AddOurs("vm-100-disk-2");
  EXPECT_EQ(Chosen(), "vm-100-disk-1");
}

TEST_F(VolumeNamesTest, NumbersOfTemplatesAndOtherOwnersAreTaken) {
  AddOurs("base-100-disk-0");
  AddForeign("vm-100-disk-1");
  AddOurs("vm-200-disk-2");
  EXPECT_EQ(Chosen(), "vm-100-disk-2");
}

TEST_F(VolumeNamesTest, NumbersEndWhereProxmoxsOwnSearchEnds) {
  for (int number = 0; number < 1024; ++number) {
    AddOurs("vm-100-disk-" + std::to_string(number));
  }
  EXPECT_EQ(Chosen(), "already-exists");
}

TEST_F(VolumeNamesTest, ARequestedNameIsTheVmsOwnAndFree) {
  AddOurs("vm-100-disk-0");
  AddForeign("vm-100-disk-1");
  EXPECT_EQ(Chosen("vm-100-cloudinit"), "vm-100-cloudinit");
  EXPECT_EQ(Chosen("vm-100-disk-0"), "already-exists");
  EXPECT_EQ(Chosen("vm-100-disk-1"), "conflict");
  EXPECT_EQ(Chosen("vm-101-disk-7"), "invalid-argument");
  EXPECT_EQ(Chosen("base-100-disk-7"), "invalid-argument");
  EXPECT_EQ(Chosen("base-1000-disk-0/vm-100-disk-7"), "invalid-argument");
  EXPECT_EQ(Chosen("nonsense"), "invalid-argument");
}

TEST_F(VolumeNamesTest, HintsNameTheVolumeAsItIsTyped) {
  AddOurs("vm-100-disk-0");
  const auto taken = ChooseName(config, 100, "vm-100-disk-0", neighbours);
  ASSERT_FALSE(taken.ok());
  EXPECT_THAT(taken.error().Line(), HasSubstr("'pvesm free tank:vm-100-disk-0'"));
  EXPECT_THAT(VolumeNotFound(config, *VolumeName::Parse("vm-100-disk-9")).Line(),
              HasSubstr("'pvesm list tank'"));
}

Result<std::string> Lose() {
  return Error(ErrorCode::kAlreadyExists, "taken").From({.refusal = Refusal::kNameLost});
}

TEST(WithChosenNameTest, ALostNameIsChosenAgain) {
  int tries = 0;
  const auto made = WithChosenName([&]() -> Result<std::string> {
    if (++tries < 3) return Lose();
    return std::string("vm-100-disk-2");
  });
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(tries, 3);
}

TEST(WithChosenNameTest, TenLossesAreEnough) {
  int tries = 0;
  EXPECT_FALSE(WithChosenName([&] {
                 ++tries;
                 return Lose();
               }).ok());
  EXPECT_EQ(tries, 10);
}

TEST(WithChosenNameTest, AnotherErrorOfThatCodeIsNotALostName) {
  int tries = 0;
  EXPECT_FALSE(WithChosenName([&]() -> Result<std::string> {
                 ++tries;
                 return Error(ErrorCode::kAlreadyExists, "taken before");
               }).ok());
  EXPECT_EQ(tries, 1);
}

}  // namespace
}  // namespace ontapnvme::pve
