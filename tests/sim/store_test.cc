// SPDX-License-Identifier: AGPL-3.0-or-later
// Both stores keep the same promises.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>

#include "file_store.h"
#include "memory_store.h"

namespace ontapnvme::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1U << 20U;

class StoreTest : public ::testing::TestWithParam<bool> {
 protected:
  StoreTest() {
    std::string pattern = fs::temp_directory_path() / "ontap-sim-store-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    if (GetParam()) {
      store_ = std::make_unique<FileStore>(folder_);
    } else {
      store_ = std::make_unique<MemoryStore>();
    }
  }
  ~StoreTest() override {
    store_.reset();
    fs::remove_all(folder_);
  }

  fs::path folder_;
  std::unique_ptr<BlockStore> store_;
};

TEST_P(StoreTest, ReadsZerosUntilWritten) {
  store_->Create("a", 4 * kMiB);
  EXPECT_EQ(store_->AllocatedBytes("a"), 0U);
  EXPECT_EQ(store_->Read("a", kMiB, 3), std::string(3, '\0'));
  store_->Write("a", kMiB - 1, "xyz");
  EXPECT_EQ(store_->Read("a", kMiB - 2, 5), std::string("\0xyz\0", 5));
  EXPECT_GT(store_->AllocatedBytes("a"), 0U);
  EXPECT_LT(store_->AllocatedBytes("a"), kMiB);
  EXPECT_EQ(store_->Read("a", 4 * kMiB - 2, 10).size(), 2U);
  EXPECT_THROW(store_->Write("a", 4 * kMiB - 1, "xx"), std::exception);
}

TEST_P(StoreTest, ARestoreBringsDataHolesAndSizeBack) {
  store_->Create("a", 2 * kMiB);
  store_->Write("a", 0, "first");
  store_->Save("a", "image");
  store_->Write("a", 0, "later");
  store_->Write("a", kMiB, "where a hole was");
  store_->Resize("a", 4 * kMiB);
  store_->Write("a", 3 * kMiB, "beyond");
  store_->Restore("image", "a");
  EXPECT_EQ(store_->Read("a", 0, 5), "first");
  EXPECT_EQ(store_->Read("a", kMiB, 4), std::string(4, '\0'));
  EXPECT_EQ(store_->Read("a", 0, 8 * kMiB).size(), 2 * kMiB);
}

TEST_P(StoreTest, AnImageAndAClonePartFromTheirSource) {
  store_->Create("a", kMiB);
  store_->Write("a", 0, "first");
  store_->Save("a", "image");
  store_->Write("a", 0, "later");
  store_->Clone("image", "b");
  store_->Write("b", 0, "b");
  EXPECT_EQ(store_->Read("a", 0, 5), "later");
  EXPECT_EQ(store_->Read("b", 0, 5), "birst");
  store_->DropImage("image");
  EXPECT_EQ(store_->Read("b", 0, 5), "birst");
  EXPECT_THROW(store_->Clone("image", "c"), std::exception);
}

INSTANTIATE_TEST_SUITE_P(Kinds, StoreTest, ::testing::Bool(), [](const auto& kind) {
  return kind.param ? std::string("File") : std::string("Memory");
});

// The kernel's target keeps the file open across a restore.
TEST(FileStoreTest, ARestoreKeepsTheInode) {
  std::string pattern = fs::temp_directory_path() / "ontap-sim-store-XXXXXX";
  const fs::path folder = ::mkdtemp(pattern.data());
  FileStore store(folder);
  store.Create("a", kMiB);
  store.Save("a", "image");
  struct stat before {};
  struct stat after {};
  ASSERT_EQ(::stat(store.DevicePath("a").c_str(), &before), 0);
  store.Restore("image", "a");
  ASSERT_EQ(::stat(store.DevicePath("a").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  fs::remove_all(folder);
}

TEST(FileStoreTest, AStartRemovesWhatWasLeft) {
  std::string pattern = fs::temp_directory_path() / "ontap-sim-store-XXXXXX";
  const fs::path folder = ::mkdtemp(pattern.data());
  FileStore(folder).Create("a", kMiB);
  FileStore store(folder);
  EXPECT_FALSE(fs::exists(store.DevicePath("a")));
  store.Create("a", kMiB);
  fs::remove_all(folder);
}

}  // namespace
}  // namespace ontapnvme::sim
