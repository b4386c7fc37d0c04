// SPDX-License-Identifier: AGPL-3.0-or-later
// What becomes of deleted volumes.
#include "contract/array_under_test.h"

namespace ontapnvme::contract {
namespace {

using ::testing::Contains;
using ::testing::StartsWith;

class QueueContract : public ContractFixture {};
INSTANTIATE_TEST_SUITE_P(Array, QueueContract, ::testing::ValuesIn(Variants()), VariantName);

TEST_P(QueueContract, TakesDeletedVolumesOutOfTheQueueWhereDeletingCannot) {
  const std::string wanted = Name("v");
  for (const auto& [part, is_final] : {std::pair("v", false), std::pair("v_1", false)}) {
    ASSERT_SUCCEEDS(volumes_->Delete(MakeVolume(part), is_final, Budget()));
  }
  ontap::RecoveryQueue queue(*rest_, address_.svm);
  for (int twice = 0; twice < 2; ++twice) {
    ASSERT_SUCCEEDS(queue.PurgeDeleted(wanted, Budget()));
  }
  if (IsReal()) return;  // shows its queue to its administrators only
  std::vector<std::string> left;
  const auto answer = simulator_->Control({{"cmd", "state"}});
  for (const auto& queued : answer["state"]["recovery_queue"]) {
    left.push_back(queued["volume"].get<std::string>());
  }
  // "v_1_<number>" is another volume's name, not "v_<number>".
  EXPECT_EQ(left.size(), release() < ontap::kForceDelete ? 1U : 2U);
  EXPECT_THAT(left, Contains(StartsWith(Name("v_1_"))));
}

TEST_P(QueueContract, TakesOneOutOfTheQueueForGood) {
  ASSERT_SUCCEEDS(volumes_->Delete(MakeVolume("v"), false, Budget()));
  ontap::RecoveryQueue queue(*rest_, address_.svm);
  const auto listed = queue.List(Name("v_*"), Budget());
  ASSERT_SUCCEEDS(listed);
  ASSERT_EQ(listed->size(), 1U);
  ASSERT_SUCCEEDS(queue.Purge(listed->front().name, Budget()));
  EXPECT_FAILS_WITH(queue.Purge(listed->front().name, Budget()), ErrorCode::kNotFound);
  EXPECT_TRUE(queue.List(Name("v_*"), Budget())->empty());
}

TEST_P(QueueContract, GivesADeletedVolumeBackFromTheQueue) {
  const auto made = MakeDisk("v");
  ASSERT_SUCCEEDS(volumes_->Delete(made.volume_uuid, false, Budget()));
  ontap::RecoveryQueue queue(*rest_, address_.svm);
  const auto listed = queue.List(Name("v_*"), Budget());
  ASSERT_SUCCEEDS(listed);
  ASSERT_EQ(listed->size(), 1U);
  const std::string queued = listed->front().name;
  EXPECT_EQ(ontap::NameBeforeDeletion(queued), Name("v"));
  ASSERT_SUCCEEDS(queue.Recover(queued, Budget()));
  EXPECT_FAILS_WITH(queue.Recover(queued, Budget()), ErrorCode::kNotFound);
  EXPECT_TRUE(queue.List(Name("v_*"), Budget())->empty());
  const auto back = volumes_->Find(queued, Budget());
  ASSERT_TRUE(back.ok() && *back);
  EXPECT_EQ((*back)->state, "offline");
  ASSERT_SUCCEEDS(volumes_->BringOnline((*back)->uuid, Budget()));
  ASSERT_SUCCEEDS(volumes_->Rename((*back)->uuid, Name("v"), Budget()));
  const auto found = volumes_->Find(Name("v"), Budget());
  ASSERT_TRUE(found.ok() && *found);
  EXPECT_EQ((*found)->state, "online");
  EXPECT_EQ((*found)->comment, "made by the contract suite");
  const auto ns = namespaces_->FindByVolume(Name("v"), Budget());
  ASSERT_TRUE(ns.ok() && *ns);
  EXPECT_EQ((*ns)->size, MiB(64));
  EXPECT_EQ((*ns)->BaseName(), Name("v"));
  EXPECT_FALSE((*ns)->subsystem_uuid);
}

}  // namespace
}  // namespace ontapnvme::contract
