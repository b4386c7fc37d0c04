// SPDX-License-Identifier: AGPL-3.0-or-later
// A namespace and a LUN that become disks, with every request going wrong: the bytes are there all the time, in
// the one or in the other, nobody else's disk is touched, and the same command then succeeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fault/fault_list.h"
#include "fault/sweep_operations.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPath = "/vol/oracle/data";
constexpr int kRequestsMax = 60;

void MakeStranger(SweptWorld& world, bool is_lun) {
  const auto post = [&](const std::string& target, nlohmann::json body) {
    body["svm"] = {{"name", "svm1"}};
    const auto reply = world.array.sim.Ctl(
        {{"cmd", "admin"}, {"method", "POST"}, {"target", target}, {"body", std::move(body)}});
    ASSERT_TRUE(reply.at("ok").get<bool>()) << reply.dump();
  };
  post("/api/storage/volumes", {{"name", "oracle"},
                                {"size", 33554432},
                                {"aggregates", nlohmann::json::array({{{"name", "aggr1"}}})}});
  post(is_lun ? "/api/storage/luns" : "/api/storage/namespaces",
       {{"name", kPath}, {"os_type", "linux"}, {"space", {{"size", 4194304}}}});
  auto& array = world.array.sim.world();
  for (const auto& lun : array.luns) world.array.sim.store().Write(lun.uuid, 0, "mine");
  for (const auto& ns : array.namespaces) {
    if (ns.base_name == "data") world.array.sim.store().Write(ns.uuid, 0, "mine");
  }
}

// Of the one or the other, whatever it is called by then.
std::string BytesOf(SweptWorld& world) {
  std::string bytes;
  const auto& array = world.array.sim.world();
  for (const auto& lun : array.luns) bytes += world.array.sim.store().Read(lun.uuid, 0, 4);
  for (const auto& ns : array.namespaces) {
    if (ns.base_name == "data") bytes += world.array.sim.store().Read(ns.uuid, 0, 4);
  }
  return bytes;
}

class AdoptingTest : public testing::TestWithParam<bool> {};

TEST_P(AdoptingTest, BytesStayWhicheverRequestFails) {
  const bool is_lun = GetParam();
  int points = 0;
  for (const Fault& fault : FaultsByStep(8, is_lun ? 1 : 0)) {
    for (int nth = 1;; ++nth) {
      ASSERT_LE(nth, kRequestsMax) << "the sweep never ran clean";
      SCOPED_TRACE("request " + std::to_string(nth) + ": " + fault.name);
      SweptWorld world(Kind::kUsual);
      MakeStranger(world, is_lun);
      world.Later();
      auto rule = fault.rule;
      rule["nth"] = nth;
      world.array.AddFault(rule);
      const auto adopted = world.rig.storage().Adopt(kPath, is_lun, 100);
      const bool fired = world.array.FaultFired();
      world.array.ClearFaults();
      EXPECT_EQ(BytesOf(world), "mine");
      if (!fired) ASSERT_TRUE(adopted.ok()) << adopted.error().Line();
      if (!adopted.ok()) EXPECT_EQ(adopted.error().Line().find('\n'), std::string::npos);
      world.rig.Restart();
      world.array.clock->Advance(std::chrono::minutes(70));
      world.ExpectBystanderUntouched();
      const auto again = world.rig.storage().Adopt(kPath, is_lun, 100);
      ASSERT_TRUE(again.ok()) << again.error().Line();
      EXPECT_EQ(*again, "vm-100-disk-0") << "the same disk";
      EXPECT_EQ(BytesOf(world), "mine");
      EXPECT_EQ(world.rig.Content("vm-100-disk-0"), "mine");
      EXPECT_EQ(world.rig.storage().ExamineForAdoption(kPath, is_lun, 100)->volume_name,
                "vm-100-disk-0");
      world.array.clock->Advance(std::chrono::minutes(70));
      world.rig.MustAllocate(901);
      EXPECT_THAT(world.array.Orphans(), IsEmpty());
      if (HasFailure()) return;
      if (!fired) break;
      ++points;
    }
  }
  EXPECT_GT(points, 10);
}

INSTANTIATE_TEST_SUITE_P(Kinds, AdoptingTest, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "lun" : "namespace"; });

TEST(AdoptedDiskTest, IsADiskLikeAnyOther) {
  SweptWorld world(Kind::kUsual);
  MakeStranger(world, true);
  auto& storage = world.rig.storage();
  ASSERT_TRUE(storage.Adopt(kPath, true, 100).ok());
  EXPECT_TRUE(storage.ActivateVolume("vm-100-disk-0").ok());
  ASSERT_TRUE(storage.CreateSnapshot("vm-100-disk-0", "s").ok());
  world.rig.Write("vm-100-disk-0", "new!");
  ASSERT_TRUE(storage.RollbackBlockers("vm-100-disk-0", "s").ok());
  ASSERT_TRUE(storage.DeactivateVolume("vm-100-disk-0").ok());
  const auto back = storage.Rollback("vm-100-disk-0", "s");
  ASSERT_TRUE(back.ok()) << back.error().Line();
  EXPECT_EQ(world.rig.Content("vm-100-disk-0"), "mine");
  ASSERT_TRUE(storage.DeleteSnapshot("vm-100-disk-0", "s").ok());
  ASSERT_TRUE(storage.Free("vm-100-disk-0").ok());
  const auto gone = storage.Adopt(kPath, true, 100);
  ASSERT_TRUE(FailedWith(gone, ErrorCode::kNotFound));
  EXPECT_THAT(gone.error().Line(), HasSubstr("the array lists no LUN"));
}

}  // namespace
}  // namespace ontapnvme::fault
