// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/volume_name.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

namespace ontapnvme {
namespace {

struct Row {
  std::string text, valid, kind, vmid, rest, base;
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
    for (std::string* field : {&row.text, &row.valid, &row.kind, &row.vmid, &row.rest, &row.base}) {
      std::getline(fields, *field, '\t');
    }
    row.text = Unescape(row.text);
    rows.push_back(row);
  }
  return rows;
}

TEST(VolumeNameTest, ParsesAsTheTableSays) {
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
  }
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

TEST(VolumeNameTest, KindsAreKnownByTheirNames) {
  EXPECT_TRUE(VolumeName::Parse("vm-100-cloudinit")->IsCloudInit());
  EXPECT_FALSE(VolumeName::Parse("vm-100-cloudinit2")->IsCloudInit());
  EXPECT_TRUE(VolumeName::Parse("vm-100-state-s1")->IsVmState());
  EXPECT_FALSE(VolumeName::Parse("vm-100-state")->IsVmState());
  EXPECT_TRUE(VolumeName::Parse("vm-100-fleece-0")->IsFleecing());
  EXPECT_FALSE(VolumeName::Parse("vm-100-disk-0")->IsFleecing());
}

TEST(VolumeNameTest, ABasePartDoesNotMakeItAnotherVolume) {
  const auto plain = VolumeName::Parse("vm-101-disk-0");
  const auto clone = VolumeName::Parse("base-100-disk-0/vm-101-disk-0");
  EXPECT_EQ(*plain, *clone);
  EXPECT_EQ(*plain <=> *clone, std::strong_ordering::equal);
  EXPECT_EQ(clone->LeafText(), plain->Text());
  EXPECT_NE(clone->Text(), plain->Text());
  EXPECT_EQ((std::set<VolumeName>{*plain, *clone}).size(), 1U);
}

TEST(VolumeNameTest, KindVmAndRestEachMakeAnotherVolume) {
  const std::vector<VolumeName> ascending = {
      *VolumeName::Parse("vm-100-disk-0"), *VolumeName::Parse("vm-100-disk-1"),
      *VolumeName::Parse("base-100-disk-0"), *VolumeName::Parse("vm-101-disk-0"),
      *VolumeName::Parse("vm-1000-disk-0")};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(ascending[i] == ascending[j], i == j);
      EXPECT_EQ(ascending[i] < ascending[j], i < j)
          << ascending[i].Text() << " " << ascending[j].Text();
    }
  }
}

TEST(VolumeNameTest, RefusedNameIsShownOnOneLine) {
  const auto refused = VolumeName::Parse("vm-100-a\x1b[2J\nb");
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kInvalidArgument));
  EXPECT_EQ(refused.error().sentence(),
            "'vm-100-a [2J b' is not a volume name of this storage type");
}

}  // namespace
}  // namespace ontapnvme
