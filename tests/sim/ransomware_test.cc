// SPDX-License-Identifier: AGPL-3.0-or-later
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

class RansomwareTest : public SimTest {
 protected:
  void SetUp() override {
    Set("release", "9.18.1");
    volume_ = MakeVolume("v");
    ns_ = MakeNamespace("v");
    path_ = "/api/storage/volumes/" + volume_;
  }
  json Locked(const std::string& volume_uuid) {
    return Get("/api/storage/volumes/" + volume_uuid +
               "/snapshots?name=Anti_ransomware_*&fields=expiry_time")
        .Records();
  }
  std::string volume_;
  std::string ns_;
  std::string path_;
};

TEST_F(RansomwareTest, TakesLockedSnapshotsOfEachNewVolumeEveryFourHours) {
  const json first = Locked(volume_);
  ASSERT_EQ(first.size(), 1U);
  EXPECT_TRUE(first[0].contains("expiry_time"));
  const std::string uuid = first[0]["uuid"];
  EXPECT_EQ(Call("DELETE", path_ + "/snapshots/" + uuid).code, 1638555);
  now_ += std::chrono::hours(4);
  EXPECT_EQ(Locked(volume_).size(), 2U);
  now_ += std::chrono::hours(8);
  for (const json& one : Locked(volume_)) EXPECT_NE(one["uuid"], uuid) << "expired";
}

TEST_F(RansomwareTest, TakesNoneWhereItIsOffOrTheReleaseOlder) {
  Call("PATCH", path_ + "?return_timeout=15", R"({"anti_ransomware":{"state":"disabled"}})");
  now_ += std::chrono::hours(13);
  EXPECT_EQ(Locked(volume_).size(), 0U);
  Set("release", "9.17.1");
  const std::string other = MakeVolume("w");
  MakeNamespace("w");
  EXPECT_EQ(Locked(other).size(), 0U);
  Set("release", "9.18.1");
  Set("ransomware_locks", "none");
  EXPECT_EQ(Locked(other).size(), 0U);
}

TEST_F(RansomwareTest, RenamedOneStaysLockedAndMayEndWithTheOthersOrKeepItsName) {
  const std::string uuid = Locked(volume_)[0]["uuid"];
  const std::string target = path_ + "/snapshots/" + uuid;
  Set("locked_snapshot_rename", "refuse");
  EXPECT_EQ(Call("PATCH", target + "?return_timeout=15", R"({"name":"a"})").code, 1638555);
  Set("locked_snapshot_rename", "take");
  EXPECT_EQ(Call("PATCH", target + "?return_timeout=15", R"({"name":"a"})").status, 200);
  EXPECT_EQ(Call("DELETE", target).code, 1638555);
  now_ += std::chrono::hours(13);
  EXPECT_EQ(Get(target).status, 200) << "under another name it is kept";
  Set("locked_snapshot_rename", "expires");
  EXPECT_EQ(Get(target).status, 404);
}

TEST_F(RansomwareTest, ANewerLockForbidsARestore) {
  MakeSnapshot(volume_, "old");
  ASSERT_EQ(Locked(volume_).size(), 1U);
  now_ += std::chrono::hours(5);
  const std::string restore = path_ + "?return_timeout=15&restore_to.snapshot.name=old";
  EXPECT_EQ(Call("PATCH", restore).code, 9437886);
  Call("PATCH", path_ + "?return_timeout=15", R"({"anti_ransomware":{"state":"disabled"}})");
  now_ += std::chrono::hours(13);
  EXPECT_EQ(Call("PATCH", restore).status, 200);
}

TEST_F(RansomwareTest, ALockMayKeepItsVolume) {
  ASSERT_EQ(Locked(volume_).size(), 1U);
  Set("ransomware_locks", "delete_refused");
  EXPECT_EQ(Call("DELETE", path_).status, 409);
  Set("ransomware_locks", "delete_allowed");
  EXPECT_EQ(Call("DELETE", path_ + "?return_timeout=15").status, 200);
}

}  // namespace
}  // namespace ontapnvme::sim
