// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/disk_memory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

const Uuid kFirst = *Uuid::Parse("11111111-1111-1111-1111-111111111111");
const Uuid kSecond = *Uuid::Parse("22222222-2222-2222-2222-222222222222");

VolumeName Name(const std::string& text) {
  return *VolumeName::Parse(text);
}

class DiskMemoryTest : public testing::Test {
 protected:
  // As a disk is remembered in the file.
  static std::string Line(const Uuid& ns, const std::string& name) {
    return ns.Text() + "=" + name + "\n";
  }

  fakes::TemporaryFolder folder;
  const DiskMemory memory{folder / "disks"};
};

TEST_F(DiskMemoryTest, RememberedDisksAreKnownToAllNodes) {
  EXPECT_FALSE(memory.Find(Name("vm-100-disk-0")).has_value());
  memory.Remember(Name("vm-100-disk-0"), kFirst);
  memory.Remember(Name("vm-100-disk-1"), kSecond);
  const DiskMemory other_node(folder / "disks");
  EXPECT_EQ(other_node.Find(Name("vm-100-disk-0")), kFirst);
  EXPECT_EQ(other_node.Find(Name("vm-100-disk-1")), kSecond);
  EXPECT_FALSE(other_node.Find(Name("vm-100-disk-2")).has_value());
}

TEST_F(DiskMemoryTest, NameIsKnownWithAndWithoutItsBasePart) {
  memory.Remember(Name("base-100-disk-0/vm-101-disk-0"), kFirst);
  EXPECT_EQ(memory.Find(Name("vm-101-disk-0")), kFirst);
  EXPECT_EQ(memory.Find(Name("base-100-disk-0/vm-101-disk-0")), kFirst);
  EXPECT_FALSE(memory.Find(Name("base-100-disk-0")).has_value());
  EXPECT_TRUE(memory.Forget(Name("base-102-disk-0/vm-101-disk-0")).ok());
  EXPECT_FALSE(memory.Find(Name("vm-101-disk-0")).has_value());
}

TEST_F(DiskMemoryTest, NameThatGetsAnotherDiskLosesTheFormerOne) {
  memory.Remember(Name("vm-100-disk-0"), kFirst);
  memory.Remember(Name("vm-100-disk-0"), kSecond);
  EXPECT_EQ(memory.Find(Name("vm-100-disk-0")), kSecond);
}

TEST_F(DiskMemoryTest, OddNamesComeBack) {
  memory.Remember(Name("vm-100-a=b"), kFirst);
  EXPECT_EQ(memory.Find(Name("vm-100-a=b")), kFirst);
}

TEST_F(DiskMemoryTest, ForgottenNameIsGoneAndTheOthersStay) {
  memory.Remember(Name("vm-100-disk-0"), kFirst);
  memory.Remember(Name("vm-100-disk-1"), kSecond);
  ASSERT_TRUE(memory.Forget(Name("vm-100-disk-0")).ok());
  EXPECT_FALSE(memory.Find(Name("vm-100-disk-0")).has_value());
  EXPECT_EQ(memory.Find(Name("vm-100-disk-1")), kSecond);
  EXPECT_TRUE(memory.Forget(Name("vm-100-disk-0")).ok()) << "idempotent";
}

// The caller must not touch a disk whose name could not be taken out.
TEST_F(DiskMemoryTest, NameThatCannotBeForgottenIsAnError) {
  memory.Remember(Name("vm-100-disk-0"), kFirst);
  // Where a draft of the file would go.
  std::filesystem::create_directory(folder / ("disks.tmp." + std::to_string(::getpid())));
  const auto forgotten = memory.Forget(Name("vm-100-disk-0"));
  ASSERT_TRUE(FailedWith(forgotten, ErrorCode::kUnavailable));
  EXPECT_NE(forgotten.error().Line().find("quorum"), std::string::npos);
  EXPECT_EQ(memory.Find(Name("vm-100-disk-0")), kFirst);
  EXPECT_TRUE(memory.Forget(Name("vm-100-disk-1")).ok()) << "what it never knew needs no write";
}

TEST_F(DiskMemoryTest, ListingAddsAndForgetsOnlyWhatItShowsElsewhere) {
  memory.Remember(Name("vm-100-disk-0"), kFirst);
  memory.Renew({{"vm-100-disk-1", kSecond}});
  EXPECT_EQ(memory.Find(Name("vm-100-disk-0")), kFirst) << "it may only not be listed";
  EXPECT_EQ(memory.Find(Name("vm-100-disk-1")), kSecond);
  memory.Renew({});
  EXPECT_EQ(memory.Find(Name("vm-100-disk-1")), kSecond);
  memory.Renew({{"base-100-disk-0", kFirst}});
  EXPECT_FALSE(memory.Find(Name("vm-100-disk-0")).has_value()) << "the array gave it another name";
  EXPECT_EQ(memory.Find(Name("base-100-disk-0")), kFirst);
  memory.Renew({{"base-100-disk-0", kSecond}});
  EXPECT_EQ(memory.Find(Name("base-100-disk-0")), kSecond) << "a restore may change it";
  EXPECT_FALSE(memory.Find(Name("vm-100-disk-1")).has_value());
}

TEST_F(DiskMemoryTest, ListingOfWhatIsKnownWritesNothing) {
  memory.Renew({{"vm-100-disk-0", kFirst}, {"vm-100-disk-1", kSecond}});
  struct stat before {};
  struct stat after {};
  ASSERT_EQ(::stat((folder / "disks").c_str(), &before), 0);
  memory.Renew({{"vm-100-disk-1", kSecond}, {"vm-100-disk-0", kFirst}});
  ASSERT_EQ(::stat((folder / "disks").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_F(DiskMemoryTest, FileIsCutShortAnywhereAndNothingOfItIsBelieved) {
  memory.Renew({{"vm-100-disk-0", kFirst}, {"vm-100-disk-1", kSecond}});
  const std::string whole = folder.Read("disks");
  ASSERT_TRUE(memory.Find(Name("vm-100-disk-0")).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) {
    folder.Write("disks", whole.substr(0, size));
    EXPECT_FALSE(memory.Find(Name("vm-100-disk-0")).has_value()) << "cut at " << size;
    EXPECT_FALSE(memory.Find(Name("vm-100-disk-1")).has_value()) << "cut at " << size;
  }
}

TEST_F(DiskMemoryTest, WrongLinesAreLeftOut) {
  folder.Write("disks", "format=1\n" + Line(kFirst, "vm-100-disk-0") + "no-uuid=vm-100-disk-1\n" +
                            "vm-100-disk-2\n" + kSecond.Text() + "\n\n=\nend=1\n");
  EXPECT_EQ(memory.Find(Name("vm-100-disk-0")), kFirst);
  EXPECT_FALSE(memory.Find(Name("vm-100-disk-1")).has_value());
  EXPECT_FALSE(memory.Find(Name("vm-100-disk-2")).has_value());
}

TEST_F(DiskMemoryTest, TooManyDisksToRememberAreForgottenAltogether) {
  DiskMemory::Disks many;
  for (int i = 0; i < 20'000; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    bytes[0] = static_cast<std::uint8_t>(i & 0xFF);
    bytes[1] = static_cast<std::uint8_t>(i >> 8);
    many.emplace("vm-100-disk-" + std::to_string(i), Uuid(bytes));
  }
  memory.Remember(Name("vm-100-disk-0"), kFirst);
  memory.Renew(many);
  EXPECT_FALSE(memory.Find(Name("vm-100-disk-0")).has_value()) << "it would go stale";
  EXPECT_FALSE(memory.Find(Name("vm-100-disk-19999")).has_value());
  EXPECT_LT(folder.Read("disks").size(), 100U);
}

TEST_F(DiskMemoryTest, FileThatIsTooLargeIsNotBelieved) {
  std::string text = "format=1\n" + Line(kFirst, "vm-100-disk-0");
  text += std::string((std::size_t{1} << 20U) - text.size() - 6, '\n');
  folder.Write("disks", text + "end=1\n");
  EXPECT_EQ(memory.Find(Name("vm-100-disk-0")), kFirst) << "a MiB is taken";
  folder.Write("disks", text + "\nend=1\n");
  EXPECT_FALSE(memory.Find(Name("vm-100-disk-0")).has_value());
}

TEST_F(DiskMemoryTest, WithoutAPathNothingIsRemembered) {
  const DiskMemory none("");
  none.Remember(Name("vm-100-disk-0"), kFirst);
  none.Renew({{"vm-100-disk-0", kFirst}});
  EXPECT_FALSE(none.Find(Name("vm-100-disk-0")).has_value());
  EXPECT_TRUE(none.Forget(Name("vm-100-disk-0")).ok());
}

}  // namespace
}  // namespace ontapnvme::node
