// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/checkup/disk_explanation.h"

#include "operations_test.h"

namespace ontapnvme::pve {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class DiskExplanationTest : public OperationsTest {
 protected:
  DiskExplanationTest() { Connect(); }
  // "part name: value" of each, those that are odd with '!' before.
  std::vector<std::string> Explain(const std::string& name = "vm-100-disk-0") {
    const auto facts = operations.explanation.Explain(*VolumeName::Parse(name), Budget());
    std::vector<std::string> lines;
    if (!facts.ok()) return {facts.error().Line()};
    for (const auto& fact : *facts) {
      lines.push_back((fact.is_odd ? "!" : "") + fact.part + " " + fact.name + ": " + fact.value);
    }
    return lines;
  }
  static std::vector<std::string> Odd(std::vector<std::string> lines) {
    std::erase_if(lines, [](const auto& line) { return !line.starts_with("!"); });
    return lines;
  }
};

TEST_F(DiskExplanationTest, AHealthyDiskHasNothingOdd) {
  auto& disk = world.AddDisk("vm-100-disk-0");
  world.AddSnapshot("vm-100-disk-0", "pve_snap_before",
                    std::chrono::sys_seconds(std::chrono::seconds(1000)));
  const auto lines = Explain();
  EXPECT_THAT(Odd(lines), IsEmpty());
  EXPECT_THAT(lines, Contains("namespace uuid: " + disk.uuid.Text()));
  EXPECT_THAT(lines, Contains("map subsystem: pve"));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("snapshot"), HasSubstr("of Proxmox VE"))));
}

TEST_F(DiskExplanationTest, WhoMadeASnapshotIsTold) {
  world.AddDisk("vm-100-disk-0");
  world.AddSnapshot("vm-100-disk-0", "hourly.2026-11-28_1005",
                    std::chrono::sys_seconds(std::chrono::seconds(1000)));
  EXPECT_THAT(Explain(), Contains(AllOf(HasSubstr("snapshot hourly.2026-11-28_1005: "),
                                        HasSubstr("of the array or its administrator"))));
}

TEST_F(DiskExplanationTest, WhatIsOddSaysWhatToThinkOfIt) {
  auto& disk = world.AddDisk("vm-100-disk-0");
  disk.mapping = catalogue::Mapping::kNone;
  EXPECT_THAT(Odd(Explain()), ElementsAre(HasSubstr("!map none: no node sees it")));
  disk.mapping = catalogue::Mapping::kElsewhere;
  disk.mapped_to = "other";
  EXPECT_THAT(Odd(Explain()), ElementsAre(HasSubstr("!map subsystem: 'other', while")));
  disk.mapping = catalogue::Mapping::kHere;
  disk.fault = Error(ErrorCode::kConflict, "it is offline");
  EXPECT_THAT(Odd(Explain()), ElementsAre(HasSubstr("!namespace served: no: it is offline")));
  disk.fault.reset();
  disk.is_near_ceiling = true;
  EXPECT_THAT(Odd(Explain()), ElementsAre(HasSubstr("!container used: ")));
}

TEST_F(DiskExplanationTest, AHalfMadeDiskIsToldAsOne) {
  world.AddHalfMade("vm-100-disk-0");
  EXPECT_THAT(Odd(Explain()), ElementsAre(HasSubstr("!namespace none: half-made")));
}

TEST_F(DiskExplanationTest, WhatCannotBeReadIsNotMissing) {
  world.AddDisk("vm-100-disk-0");
  for (const char* call : {"ListSnapshots", "ListDevices"}) {
    world.FailNext(call, Error(ErrorCode::kTimedOut, "cannot list them"));
    EXPECT_THAT(Odd(Explain()), ElementsAre(HasSubstr("unknown: cannot list them"))) << call;
  }
}

TEST_F(DiskExplanationTest, ForeignAndMissingDisksAreNotExplained) {
  world.AddForeign("vm-101-disk-0");
  EXPECT_THAT(Explain("vm-101-disk-0"), ElementsAre(Not(HasSubstr("!"))));
  EXPECT_THAT(Explain("vm-102-disk-0"), ElementsAre(HasSubstr("no volume 'vm-102-disk-0'")));
}

TEST_F(DiskExplanationTest, ADiskIsFoundByUuidAndByTheArraysName) {
  auto& disk = world.AddDisk("vm-100-disk-0");
  world.AddDisk("vm-101-disk-0");
  for (const auto& what : {disk.uuid.Text(), disk.ContainerName()}) {
    const auto name = operations.explanation.WhichIs(what, Budget());
    ASSERT_TRUE(name.ok()) << what;
    EXPECT_EQ(name->Text(), "vm-100-disk-0");
  }
  EXPECT_TRUE(
      FailedWith(operations.explanation.WhichIs("nothing", Budget()), ErrorCode::kNotFound));
}

}  // namespace
}  // namespace ontapnvme::pve
