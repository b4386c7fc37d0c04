// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/names/array_names.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <random>
#include <sstream>

namespace ontapnvme::catalogue::flexvol {
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

TEST(ArrayNamesTest, MapsAsTheTableSays) {
  const auto rows = Table();
  ASSERT_GT(rows.size(), 50U) << "the table is missing";
  const ArrayNames names("");
  for (const Row& row : rows) {
    if (row.valid != "yes") continue;
    SCOPED_TRACE(row.text);
    const auto name = VolumeName::Parse(row.text);
    ASSERT_TRUE(name.ok());
    const auto flexvol = names.FlexVol(*name);
    ASSERT_EQ(flexvol.ok(), row.flexvol != "too-long");
    if (!flexvol.ok()) continue;
    EXPECT_EQ(*flexvol, row.flexvol);
    const auto back = names.VolumeOf(*flexvol);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->LeafText(), name->LeafText());
  }
}

TEST(ArrayNamesTest, NoTwoNamesShareAFlexVolAndEveryFlexVolHasOneName) {
  std::mt19937 random(42);  // the same names in every run
  const std::string alphabet = "abXY019_-.disk+state~cloudinit";
  std::map<std::string, std::string> owner_of_flexvol;
  const auto pick = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  const std::vector<std::string> stems = {"disk-", "state-", "cloudinit", "fleece-",
                                          "x_",    "_2d",    ""};
  const ArrayNames names("p_");
  for (int round = 0; round < 20000; ++round) {
    std::string rest = stems[pick(stems.size())];
    for (std::size_t length = pick(5); length > 0; --length)
      rest += alphabet[pick(alphabet.size())];
    const std::string text =
        (pick(2) == 0 ? "vm-" : "base-") + std::to_string(100 + pick(3)) + "-" + rest;
    const auto name = VolumeName::Parse(text);
    if (!name.ok()) continue;
    const auto flexvol = names.FlexVol(*name);
    ASSERT_TRUE(flexvol.ok()) << text;
    const auto [entry, is_new] = owner_of_flexvol.try_emplace(*flexvol, text);
    EXPECT_EQ(entry->second, text) << "both are stored as " << *flexvol;
    const auto back = names.VolumeOf(*flexvol);
    ASSERT_TRUE(back.has_value()) << *flexvol;
    EXPECT_EQ(back->Text(), text);
  }
  EXPECT_GT(owner_of_flexvol.size(), 3000U);
}

TEST(ArrayNamesTest, ForeignFlexVolsAreNoVolumes) {
  for (const char* flexvol : {"vol1", "vm_100", "vm_100_", "vm_099_disk_0", "vm_100_disk_00",
                              "vm_100_disk_", "vm_100_x_zz_2", "vm_100_x__4", "base_100_cloudinit",
                              "vm_100_disk_0_clone", "other_vm_100_disk_0"}) {
    EXPECT_FALSE(ArrayNames("").VolumeOf(flexvol).has_value()) << flexvol;
  }
  EXPECT_FALSE(ArrayNames("pve_").VolumeOf("vm_100_disk_0").has_value());
}

TEST(ArrayNamesTest, FormerReleasesLostHyphensOfStateNames) {
  const ArrayNames names("p_");
  const auto with_hyphen = VolumeName::Parse("vm-100-state-before-upgrade");
  EXPECT_EQ(names.LegacyFlexVol(*with_hyphen), "p_vm_100_state_before_upgrade");
  EXPECT_FALSE(names.LegacyFlexVol(*VolumeName::Parse("vm-100-state-plain")).has_value());
  EXPECT_FALSE(names.LegacyFlexVol(*VolumeName::Parse("vm-100-disk-0")).has_value());
}

TEST(ArrayNamesTest, WhatIsNoVolumeIsOutsideTheNamesOfVolumes) {
  for (const char* prefix : {"", "p_", "vm_", "base_"}) {
    const ArrayNames names(prefix);
    const Uuid uuid = *Uuid::Parse("00112233-4455-6677-8899-aabbccddeeff");
    EXPECT_EQ(names.Parked(uuid),
              std::string(prefix) + "pve_deleted_00112233_4455_6677_8899_aabbccddeeff");
    for (const auto& other :
         {names.Parked(uuid), names.SnapshotDevice("0123456789abcdef"), names.Group(100)}) {
      EXPECT_FALSE(names.VolumeOf(other).has_value()) << other;
    }
  }
}

TEST(ArrayNamesTest, GroupsHaveTheNamesOfEarlierReleasesWhileTheyAreShort) {
  const ArrayNames names("t_");
  EXPECT_EQ(names.Group(100), "t_pve_cg_vm_100");
  EXPECT_EQ(names.Group(100, "0a1b2c3d"), "t_pve_cg_vm_100_0a1b2c3d");
  EXPECT_EQ(names.GroupNames(100, "0a1b2c3d").size(), 2U);
  // The plain name of thirty characters stays; one more is too many.
  const std::string seventeen(17, 'p');
  EXPECT_EQ(ArrayNames(seventeen).Group(100), seventeen + "pve_cg_vm_100");
  EXPECT_NE(ArrayNames(seventeen).Group(1000), seventeen + "pve_cg_vm_1000");
}

TEST(ArrayNamesTest, GroupsHaveShortNamesWhateverThePrefix) {
  const std::string tag = "0a1b2c3d";
  for (const std::size_t length : {0U, 3U, 12U, 17U, 18U, 64U}) {
    const ArrayNames names(std::string(length, 'p'));
    for (const std::uint64_t vmid : {100U, 999'999'999U}) {
      SCOPED_TRACE(std::to_string(length) + ", VM " + std::to_string(vmid));
      EXPECT_LE(names.Group(vmid).size(), 30U);
      EXPECT_LE(names.Group(vmid, tag).size(), 30U);
      EXPECT_NE(names.Group(vmid), names.Group(vmid, tag));
      for (const auto& name : names.GroupNames(vmid, tag)) {
        EXPECT_EQ(names.VmOfGroup(name, tag), vmid) << name;
        EXPECT_EQ(names.VmOfGroup(name + "0", tag) == vmid, false) << name;
        EXPECT_EQ(names.VmOfGroup(name + "_backup", tag), std::nullopt) << name;
      }
    }
  }
  const std::string prefix(64, 'p');
  EXPECT_NE(ArrayNames(prefix).Group(100), ArrayNames(prefix + "x").Group(100));
  EXPECT_EQ(ArrayNames("t_").VmOfGroup("t_pve_cg_vm_", tag), std::nullopt);
  EXPECT_EQ(ArrayNames("t_").VmOfGroup("t_pve_cg_vm_007", tag), std::nullopt);
  EXPECT_EQ(ArrayNames("t_").VmOfGroup("t_pve_cg_vm_100_99999999", tag), std::nullopt);
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
