// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/mark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "model/snapshot_name.h"

namespace ontapnvme {
namespace {

using testing::HasSubstr;

constexpr const char* kOperation = "0123456789abcdef";
const Marker kMarker("cluster-a", "tank");

Mark Detailed() {
  Mark mark = kMarker.New(100, kOperation);
  mark.base_name = "base-900-disk-0";
  mark.base_snapshot = "pve_base_77";
  mark.shown_volume = "vm-100-disk-1";
  mark.shown_snapshot = "before";
  mark.shown_to = "nqn.2014-08.org.nvmexpress:uuid:1b4e28ba-2fa1-11d2-883f-0016d3cca427";
  mark.is_protected = true;
  mark.adopted_from = "hourly.2026-01-31_1205";
  mark.moving_to = "other";
  mark.moved_from = "tank:vm-100-disk-0";
  mark.notes = "a b";
  return mark;
}

std::string TextOf(const Mark& mark) {
  const auto text = mark.Text();
  EXPECT_TRUE(text.ok()) << text.error().Line();
  return text.ok() ? *text : "";
}

// Nothing of an unreadable comment is taken over.
void ExpectForeign(const std::string& comment) {
  const auto reading = kMarker.Read(comment);
  EXPECT_EQ(reading.owner, Owner::kForeign) << comment;
  EXPECT_TRUE(reading.mark == Mark()) << comment;
}

// ---- what is written comes back

TEST(MarkTest, ShortMarkIsWrittenAsEverBefore) {
  const Mark mark = kMarker.New(100, kOperation);
  EXPECT_EQ(mark.ShortText(),
            "pve-storage-ontapnvme v=1 cluster=cluster-a storage=tank vm=100 op=0123456789abcdef");
  EXPECT_EQ(TextOf(mark), mark.ShortText()) << "no details, no word about them";
  EXPECT_LE(mark.ShortText().size(), 254U) << "a namespace's comment holds no more";
}

TEST(MarkTest, OfADiskOnItsWayIsThatOfBothStorages) {
  Mark mark = kMarker.New(100, kOperation);
  mark.moving_to = "other";
  const std::string text = TextOf(mark);
  EXPECT_EQ(kMarker.Read(text).owner, Owner::kOurs);
  const Marker other("cluster-a", "other");
  const auto reading = other.Read(text);
  ASSERT_EQ(reading.owner, Owner::kOurs);
  EXPECT_EQ(Marker("cluster-b", "other").Read(text).owner, Owner::kForeign);
  EXPECT_EQ(Marker("cluster-a", "third").Read(text).owner, Owner::kForeign);
  // Whatever that one writes next makes it its own.
  const Mark adopted = other.Adopt(reading, 100);
  EXPECT_EQ(adopted.storage_id, "other");
  EXPECT_EQ(adopted.moving_to, "");
  EXPECT_EQ(kMarker.Read(TextOf(adopted)).owner, Owner::kForeign);
  EXPECT_EQ(kMarker.Adopt(kMarker.Read(text), 100).moving_to, "other") << "still on its way";
}

TEST(MarkTest, EveryFieldComesBackAlone) {
  const Mark plain = kMarker.New(100, kOperation);
  const auto expect_back = [](const Mark& mark) {
    const auto reading = kMarker.Read(TextOf(mark));
    EXPECT_EQ(reading.owner, Owner::kOurs);
    EXPECT_EQ(reading.mark, mark) << TextOf(mark);
    EXPECT_EQ(reading.foreign_cluster_id, "");
  };
  expect_back(plain);
  for (std::string Mark::*field :
       {&Mark::base_name, &Mark::base_snapshot, &Mark::shown_to, &Mark::adopted_from,
        &Mark::moving_to, &Mark::moved_from, &Mark::notes}) {
    Mark mark = plain;
    mark.*field = Detailed().*field;
    expect_back(mark);
  }
  Mark shown = plain;
  shown.shown_volume = "vm-100-disk-1";
  shown.shown_snapshot = "before";
  expect_back(shown);
  for (const auto stage : {FullClone::kBegun, FullClone::kWhole}) {
    Mark full_clone = plain;
    full_clone.full_clone = stage;
    expect_back(full_clone);
  }
  Mark is_protected = plain;
  is_protected.is_protected = true;
  expect_back(is_protected);
  expect_back(Detailed());
  Mark taken = plain;
  taken.taken_by = "0123abcd";
  taken.taken_ms = 1'795'797'000'123;
  expect_back(taken);
  EXPECT_LE(TextOf(taken).size(), 254U) << "a snapshot's comment may hold no more";
  Mark largest = plain;
  largest.vmid = 999'999'999;
  expect_back(largest);
}

TEST(MarkTest, AnyNotesComeBackAndForgeNothing) {
  std::mt19937 random(42);  // the same notes in every run
  std::vector<std::string> samples = {"a b+c%41=\n\"ü\" op=evil details=1 protected=0",
                                      "%",
                                      "%4",
                                      "%zz",
                                      "+",
                                      " ",
                                      "\t\r\n",
                                      "notes=x base=base-1-disk-0",
                                      "ends with a space "};
  for (int round = 0; round < 2000; ++round) {
    std::string notes;
    for (auto length = random() % 60; length > 0; --length) {
      notes += static_cast<char>(1 + random() % 255);
    }
    samples.push_back(notes);
  }
  for (const auto& notes : samples) {
    Mark mark = kMarker.New(100, kOperation);
    mark.notes = notes;
    const std::string comment = TextOf(mark);
    EXPECT_EQ(kMarker.Read(comment).mark, mark) << comment;
    EXPECT_TRUE(kMarker.IsMadeBy(comment, kOperation));
    for (const char c : comment) EXPECT_TRUE(c >= ' ' && c <= '~') << comment;
  }
}

TEST(MarkTest, NotesFillTheCommentToTheLastCharacterAndNoFurther) {
  Mark mark = kMarker.New(100, kOperation);
  mark.notes = "x";
  const std::size_t room = 1023 - TextOf(mark).size() + 1;
  mark.notes = std::string(room, 'x');
  EXPECT_EQ(TextOf(mark).size(), 1023U);
  mark.notes += "yy";
  const auto refused = mark.Text();
  ASSERT_TRUE(FailedWith(refused, ErrorCode::kInvalidArgument));
  EXPECT_EQ(refused.error().Fact("too_many_characters"), "2");
}

TEST(MarkTest, MarksOfTheFirstReleaseAreRead) {
  const auto reading = Marker("C", "S").Read(
      "pve-storage-ontapnvme v=1 cluster=C storage=S vm=100 op=0123456789abcdef details=1 "
      "base=base-101-disk-0 protected=1 notes=a+b%0A%C3%BC");
  EXPECT_EQ(reading.owner, Owner::kOurs);
  EXPECT_EQ(reading.mark.vmid, 100U);
  EXPECT_EQ(reading.mark.operation_id, kOperation);
  EXPECT_EQ(reading.mark.base_name, "base-101-disk-0");
  EXPECT_TRUE(reading.mark.is_protected);
  EXPECT_EQ(reading.mark.notes, "a b\nü");
  EXPECT_EQ(reading.mark.BaseSnapshot(), kBaseSnapshot);
}

TEST(MarkTest, BaseImageWithASnapshotOfItsOwnSaysSo) {
  EXPECT_EQ(Mark().BaseSnapshot(), kBaseSnapshot);
  EXPECT_EQ(Detailed().BaseSnapshot(), "pve_base_77");
}

// ---- whose it is

TEST(MarkTest, OtherClusterAndOtherStorageAreForeign) {
  const std::string comment = kMarker.New(100, kOperation).ShortText();
  for (const Marker& other : {Marker("cluster-b", "tank"), Marker("cluster-a", "tank2"),
                              Marker("cluster-a", "tan"), Marker("cluster", "tank")}) {
    EXPECT_EQ(other.Read(comment).owner, Owner::kForeign);
    EXPECT_FALSE(other.IsMadeBy(comment, kOperation));
  }
  EXPECT_EQ(Marker("cluster-b", "tank").Read(comment).foreign_cluster_id, "cluster-a");
  EXPECT_EQ(kMarker.Read(comment).owner, Owner::kOurs);
}

TEST(MarkTest, ForeignClusterIsNamedOnOneLine) {
  const std::string comment = Marker("evil\x1b[2J\ncluster", "s").New(100, kOperation).ShortText();
  EXPECT_EQ(kMarker.Read(comment).foreign_cluster_id, "evil [2J cluster");
}

TEST(MarkTest, UnmarkedObjectsComeFromOlderInstallations) {
  for (const char* comment : {"", "made by hand", "notes about pve-storage-ontapnvme v=1",
                              "made by hand protected=1 notes=x base=base-100-disk-0"}) {
    const auto reading = kMarker.Read(comment);
    EXPECT_EQ(reading.owner, Owner::kUnmarked) << comment;
    EXPECT_EQ(reading.mark, Mark()) << comment;
    EXPECT_FALSE(kMarker.IsMadeBy(comment, ""));
  }
}

TEST(MarkTest, ClusterWithoutIdOwnsNothingMarked) {
  const Marker nobody("", "tank");
  EXPECT_EQ(nobody.Read(nobody.New(100, kOperation).ShortText()).owner, Owner::kForeign);
  EXPECT_EQ(nobody.Read("").owner, Owner::kUnmarked);
}

TEST(MarkTest, OnlyTheOperationThatMadeItIsItsMaker) {
  const std::string comment = TextOf(Detailed());
  EXPECT_TRUE(kMarker.IsMadeBy(comment, kOperation));
  EXPECT_FALSE(kMarker.IsMadeBy(comment, "0123456789abcdee"));
  EXPECT_FALSE(kMarker.IsMadeBy(comment, "0123456789abcde"));
  EXPECT_FALSE(kMarker.IsMadeBy(comment, ""));
}

TEST(MarkTest, AdoptedMarkKeepsWhatItSaysAndGoesToTheOtherVm) {
  const Mark adopted = kMarker.Adopt(kMarker.Read(TextOf(Detailed())), 200);
  Mark expected = Detailed();
  expected.vmid = 200;
  EXPECT_EQ(adopted, expected);
}

TEST(MarkTest, UnmarkedAndForeignObjectsAreAdoptedWithANewMark) {
  for (const std::string& comment :
       {std::string(), Marker("cluster-b", "tank").New(100, kOperation).ShortText()}) {
    const Mark adopted = kMarker.Adopt(kMarker.Read(comment), 200);
    EXPECT_EQ(adopted, kMarker.New(200, adopted.operation_id));
    EXPECT_NE(adopted.operation_id, kOperation);
    EXPECT_EQ(kMarker.Read(adopted.ShortText()).owner, Owner::kOurs);
  }
}

// ---- comments that were changed

// A changed comment is nobody's mark, or to the last byte what another mark of ours is written as.
void ExpectWholeOrForeign(const std::string& comment) {
  const auto reading = kMarker.Read(comment);
  if (reading.owner == Owner::kOurs) {
    EXPECT_EQ(TextOf(reading.mark), comment);
    EXPECT_NE(reading.mark, Detailed()) << comment;
  } else if (reading.owner == Owner::kForeign && reading.mark != Mark()) {
    EXPECT_EQ(TextOf(reading.mark), comment);
  }
}

TEST(MarkTest, NoByteCanBeChangedUnnoticed) {
  const std::string whole = TextOf(Detailed());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = whole;
      changed[at] = static_cast<char>(byte);
      if (changed != whole) ExpectWholeOrForeign(changed);
    }
  }
}

TEST(MarkTest, NoByteCanBeLeftOutOrPutInUnnoticed) {
  const std::string whole = TextOf(Detailed());
  for (std::size_t at = 0; at < whole.size(); ++at) {
    ExpectWholeOrForeign(std::string(whole).erase(at, 1));
    ExpectWholeOrForeign(whole.substr(0, at));
    for (const char byte : {'\0', '\n', ' ', '=', '0', 'a', '%', '+', '\xff'}) {
      ExpectWholeOrForeign(std::string(whole).insert(at, 1, byte));
    }
  }
}

TEST(MarkTest, ChangeOfTheOwnerMakesItForeign) {
  const std::string whole = kMarker.New(100, kOperation).ShortText();
  const std::size_t begin = whole.find(" v=");
  const std::size_t end = whole.find(" vm=");
  for (std::size_t at = begin; at < end; ++at) {
    std::string changed = whole;
    changed[at] = changed[at] == 'x' ? 'y' : 'x';
    EXPECT_NE(kMarker.Read(changed).owner, Owner::kOurs) << changed;
  }
}

TEST(MarkTest, WhateverIsAppendedToAShortMarkMakesItForeign) {
  const std::string whole = kMarker.New(100, kOperation).ShortText();
  for (int byte = 0; byte < 256; ++byte) {
    ExpectForeign(whole + static_cast<char>(byte));
  }
  for (const char* tail : {" details=1", " details=", " details=1 ", " details=1 protected=0",
                           " details=1 notes=", " details=1 other=1", " op=0123456789abcdef",
                           " details=2 notes=x", " notes=x", " protected=1"}) {
    ExpectForeign(whole + tail);
  }
}

TEST(MarkTest, DetailsInAnotherOrderOrTwiceAreForeign) {
  const std::string whole = kMarker.New(100, kOperation).ShortText() + " details=1";
  ExpectForeign(whole + " notes=x protected=1");
  ExpectForeign(whole + " protected=1 protected=1");
  ExpectForeign(whole + " notes=x notes=y");
  EXPECT_EQ(kMarker.Read(whole + " protected=1 notes=x").owner, Owner::kOurs);
}

TEST(MarkTest, ValueThatIsWrittenOtherwiseIsForeign) {
  const std::string whole = kMarker.New(100, kOperation).ShortText();
  ExpectForeign(whole + " details=1 notes=%41");     // a letter needs no code
  ExpectForeign(whole + " details=1 notes=%c3%bc");  // codes are in capitals
  ExpectForeign(whole + " details=1 notes=50%");
  ExpectForeign(whole + " details=1 protected=yes");
  ExpectForeign(
      "pve-storage-ontapnvme v=2 cluster=cluster-a storage=tank vm=100 "
      "op=0123456789abcdef");
  for (const char* vmid : {"", "0100", "+100", "-1", "0x64", "100a", "18446744073709551616"}) {
    ExpectForeign("pve-storage-ontapnvme v=1 cluster=cluster-a storage=tank vm=" +
                  std::string(vmid) + " op=0123456789abcdef");
  }
}

TEST(MarkTest, OperationIdThatWeNeverWriteIsForeign) {
  for (const char* operation :
       {"", "1", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "0123456789abcdeg"}) {
    ExpectForeign("pve-storage-ontapnvme v=1 cluster=cluster-a storage=tank vm=100 op=" +
                  std::string(operation));
  }
}

// ---- names in a comment

const std::vector<std::string> kNoNames = {"..",
                                           "../x",
                                           "base-100-disk-0/../x",
                                           "base-100-disk-0%0Avm-1",
                                           "base-100-disk-0%00",
                                           "base-100-disk-0+x",
                                           "vm-099-disk-0",
                                           "base-100-",
                                           "/etc/passwd",
                                           "base-100-disk-0/vm-101-disk-0"};

TEST(MarkTest, WhatIsNoNameNeverBecomesThatOfABaseImage) {
  const std::string whole = kMarker.New(100, kOperation).ShortText() + " details=1 base=";
  for (const auto& name : kNoNames) ExpectForeign(whole + name);
  ExpectForeign(whole + "vm-101-disk-0");
  EXPECT_EQ(kMarker.Read(whole + "base-101-disk-0").mark.base_name, "base-101-disk-0");
}

TEST(MarkTest, WhatIsNoNameNeverBecomesThatOfAShownVolumeOrSnapshot) {
  const std::string whole = kMarker.New(100, kOperation).ShortText() + " details=1 shows=";
  for (const auto& name : kNoNames) ExpectForeign(whole + name + " shows_snapshot=a");
  for (const char* snapshot : {"../x", ".a", "a%0Ab", "a%00", "a/b", "a@b", "%C3%BC"}) {
    ExpectForeign(whole + "vm-100-disk-1 shows_snapshot=" + snapshot);
  }
  ExpectForeign(whole + "vm-100-disk-1");
  const auto fine = kMarker.Read(whole + "vm-100-disk-1 shows_snapshot=a.b");
  EXPECT_EQ(fine.owner, Owner::kOurs);
  EXPECT_EQ(fine.mark.shown_snapshot, "a.b");
}

TEST(MarkTest, NotesWithANulAreForeign) {
  ExpectForeign(kMarker.New(100, kOperation).ShortText() + " details=1 notes=a%00b");
}

// ---- what goes into names

TEST(MarkTest, OperationIdsAreSixteenHexDigitsAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 50; ++i) {
    const std::string id = NewOperationId();
    EXPECT_EQ(id.size(), 16U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos) << id;
    EXPECT_TRUE(seen.insert(id).second) << id;
  }
}

TEST(MarkTest, ShortHashIsThatOfEveryRelease) {
  EXPECT_EQ(ShortHash(""), "cbf29ce484222325");
  EXPECT_EQ(ShortHash("a"), "af63dc4c8601ec8c");
}

TEST(MarkTest, ShortTagDependsOnClusterAndStorage) {
  const std::string tag = Marker("a", "tank").ShortTag();
  EXPECT_EQ(tag.size(), 8U);
  EXPECT_EQ(tag, Marker("a", "tank").ShortTag());
  EXPECT_NE(tag, Marker("b", "tank").ShortTag());
  EXPECT_NE(tag, Marker("a", "tonk").ShortTag());
}

}  // namespace
}  // namespace ontapnvme
