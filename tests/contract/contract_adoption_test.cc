// SPDX-License-Identifier: AGPL-3.0-or-later
// What others made, on its way to be a disk: what a volume is used for, and LUNs.
#include "contract/array_under_test.h"
#include "ontap/rest_types.h"

namespace ontapnvme::contract {
namespace {

using ::testing::IsEmpty;

class AdoptionContract : public ContractFixture {};
INSTANTIATE_TEST_SUITE_P(Array, AdoptionContract, ::testing::ValuesIn(Variants()), VariantName);

TEST_P(AdoptionContract, SaysWhatAVolumeIsUsedFor) {
  const Uuid uuid = MakeVolume("v");
  const auto use = volumes_->ReadUse(uuid, Budget());
  ASSERT_SUCCEEDS(use);
  EXPECT_EQ(use->is_svm_root, false);
  EXPECT_EQ(use->type, "rw");
  EXPECT_EQ(use->nas_path, "");
}

TEST_P(AdoptionContract, ConvertsALunInPlace) {
  MakeVolume("v");
  const auto none = namespaces_->ListLuns(Name("v"), Budget());
  ASSERT_SUCCEEDS(none);
  EXPECT_THAT(*none, IsEmpty());
  const std::string path = "/vol/" + Name("v") + "/lun";
  auto made = ontap::ChangeRequest::Post("/api/storage/luns",
                                         {{"svm", {{"name", address_.svm}}},
                                          {"name", path},
                                          {"os_type", "linux"},
                                          {"space", {{"size", MiB(20).bytes()}}}},
                                         "make a LUN");
  ASSERT_SUCCEEDS(rest_->Change(std::move(made), Budget()));
  const auto luns = namespaces_->ListLuns(Name("v"), Budget());
  ASSERT_SUCCEEDS(luns);
  ASSERT_EQ(luns->size(), 1U);
  EXPECT_EQ(luns->front().path, path);
  EXPECT_EQ(luns->front().size, MiB(20));
  EXPECT_EQ(luns->front().is_mapped, false);
  const auto converted = namespaces_->ConvertLun(luns->front(), Budget());
  if (FailedWith(converted, ErrorCode::kUnsupported)) return;  // before 9.11.1
  ASSERT_SUCCEEDS(converted);
  EXPECT_EQ(converted->path, path);
  EXPECT_EQ(converted->size, MiB(20));
  EXPECT_FALSE(namespaces_->ConvertLun(luns->front(), Budget()).ok()) << "it is none any more";
}

}  // namespace
}  // namespace ontapnvme::contract
