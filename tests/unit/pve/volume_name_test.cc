// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/volume_name.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <sstream>

namespace ontapnvme::pve {
namespace {

struct Row {
  std::string text, valid, kind, vmid, rest, base, flexvol;
};

std::string Unescape(const std::string& field) {
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field.compare(i, 2, "\\x") == 0) {
      text += static_cast<char>(std::stoi(field.substr(i + 2, 2), nullptr, 16));
      i += 3;
    } else {
      text += field[i];
    }
  }
  return text;
}

// The table that the Perl code is tested with too.
std::vector<Row> Table() {
  std::ifstream file(VOLNAMES_TABLE);
  std::vector<Row> rows;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream fields(line);
    Row row;
    for (std::string* field :
         {&row.text, &row.valid, &row.kind, &row.vmid, &row.rest, &row.base, &row.flexvol}) {
      std::getline(fields, *field, '\t');
    }
    row.text = Unescape(row.text);
    rows.push_back(row);
  }
  return rows;
}

TEST(VolumeNameTest, ParsesAndMapsAsTheTableSays) {
  const auto rows = Table();
  ASSERT_GT(rows.size(), 50U) << "the table is missing";
  for (const Row& row : rows) {
    SCOPED_TRACE(row.text);
    const auto name = VolumeName::Parse(row.text);
    ASSERT_EQ(name.ok(), row.valid == "yes");
    if (!name.ok()) continue;
    EXPECT_EQ(name->is_base, row.kind == "base");
    EXPECT_EQ(std::to_string(name->vmid), row.vmid);
    EXPECT_EQ(name->rest, row.rest);
    EXPECT_EQ(name->base_name.empty() ? "-" : name->base_name, row.base);
    EXPECT_EQ(name->Text(), row.text);
    const auto flexvol = FlexVolName("", *name);
    ASSERT_EQ(flexvol.ok(), row.flexvol != "too-long");
    if (!flexvol.ok()) continue;
    EXPECT_EQ(*flexvol, row.flexvol);
    const auto back = VolumeNameOfFlexVol("", *flexvol);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->LeafText(), name->LeafText());
  }
}

TEST(VolumeNameTest, NoTwoNamesShareAFlexVolAndEveryFlexVolHasOneName) {
  std::mt19937 random(42);  // the same names in every run
  const std::string alphabet = "abXY019_-.disk+state~cloudinit";
  std::map<std::string, std::string> owner_of_flexvol;
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  const std::vector<std::string> stems = {"disk-", "state-", "cloudinit", "fleece-",
                                          "x_",    "_2d",    ""};
  for (int round = 0; round < 20000; ++round) {
    std::string rest = stems[pick(stems.size())];
    for (std::size_t length = pick(5); length > 0; --length)
      rest += alphabet[pick(alphabet.size())];
    const std::string text =
        (pick(2) == 0 ? "vm-" : "base-") + std::to_string(100 + pick(3)) + "-" + rest;
    const auto name = VolumeName::Parse(text);
    if (!name.ok()) continue;
    const auto flexvol = FlexVolName("p_", *name);
    ASSERT_TRUE(flexvol.ok()) << text;
    const auto [entry, is_new] = owner_of_flexvol.try_emplace(*flexvol, text);
    EXPECT_EQ(entry->second, text) << "both are stored as " << *flexvol;
    const auto back = VolumeNameOfFlexVol("p_", *flexvol);
    ASSERT_TRUE(back.has_value()) << *flexvol;
    EXPECT_EQ(back->Text(), text);
  }
  EXPECT_GT(owner_of_flexvol.size(), 3000U);
}

TEST(VolumeNameTest, ForeignFlexVolsAreNoVolumes) {
  for (const char* flexvol : {"vol1", "vm_100", "vm_100_", "vm_099_disk_0", "vm_100_disk_00",
                              "vm_100_disk_", "vm_100_x_zz_2", "vm_100_x__4", "base_100_cloudinit",
                              "vm_100_disk_0_clone", "other_vm_100_disk_0"}) {
    EXPECT_FALSE(VolumeNameOfFlexVol("", flexvol).has_value()) << flexvol;
  }
  EXPECT_FALSE(VolumeNameOfFlexVol("pve_", "vm_100_disk_0").has_value());
}

TEST(VolumeNameTest, FormerReleasesLostHyphensOfStateNames) {
  const auto with_hyphen = VolumeName::Parse("vm-100-state-before-upgrade");
  EXPECT_EQ(LegacyFlexVolName("p_", *with_hyphen), "p_vm_100_state_before_upgrade");
  EXPECT_FALSE(LegacyFlexVolName("", *VolumeName::Parse("vm-100-state-plain")).has_value());
  EXPECT_FALSE(LegacyFlexVolName("", *VolumeName::Parse("vm-100-disk-0")).has_value());
}

TEST(VolumeNameTest, OrdinaryDisksAreGroupMembersAndOthersAreNot) {
  for (const char* text : {"vm-100-disk-0", "vm-100-data", "base-1000-disk-0/vm-100-disk-1"}) {
    EXPECT_TRUE(VolumeName::Parse(text)->IsGroupMember()) << text;
  }
  for (const char* text :
       {"vm-100-cloudinit", "vm-100-state-s1", "vm-100-fleece-0", "base-100-disk-0"}) {
    EXPECT_FALSE(VolumeName::Parse(text)->IsGroupMember()) << text;
  }
}

TEST(VolumeNameTest, SnapshotNamesGoThereAndBack) {
  EXPECT_EQ(ArraySnapshotName("before"), "pve_snap_before");
  EXPECT_EQ(PveSnapshotName("pve_snap_before"), "before");
  EXPECT_FALSE(PveSnapshotName("hourly.2026-11-24_0905").has_value());
  EXPECT_FALSE(PveSnapshotName(kBaseSnapshot).has_value());
}

}  // namespace
}  // namespace ontapnvme::pve
