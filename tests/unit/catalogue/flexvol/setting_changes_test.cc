// SPDX-License-Identifier: AGPL-3.0-or-later
#include "catalogue/flexvol/setting_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/catalogue/flexvol/rig.h"

namespace ontapnvme::catalogue::flexvol {
namespace {

using testing::HasSubstr;

class SettingChangesTest : public testing::Test {
 protected:
  SettingChangesTest() {
    for (int i = 0; i < 6; ++i) before.Make("vm-100-disk-" + std::to_string(i));
    before.Make("vm-200-disk-0");
    array.MakeStray("t_vm_300_disk_0", MarkOf(kOtherCluster, "tank", 300));
  }
  std::string Change(std::map<std::string, std::string> settings) {
    Rig after(array, {.settings = std::move(settings)});
    array.ClearLog();
    const auto changed = after.backend().ApplyChanges(StorageConfig{}, after.Budget());
    EXPECT_TRUE(changed.ok()) << changed.error().Line();
    return after.TakeLog();
  }
  std::string QosOf(const std::string& flexvol) {
    const auto* policy =
        array.world().qos_policies.Find(array.FindVolume(flexvol)->qos_policy_uuid);
    return policy == nullptr ? "" : policy->name;
  }

  TestArray array;
  Rig before{array};
};

TEST_F(SettingChangesTest, GoToWhatIsOursAndAreCounted) {
  EXPECT_THAT(Change({{"qos_policy", "gold"}}), HasSubstr("QoS policy: changed on 7 objects"));
  EXPECT_EQ(QosOf("t_vm_100_disk_0"), "gold");
  EXPECT_EQ(QosOf("t_vm_300_disk_0"), "") << "another cluster's";
  EXPECT_EQ(array.Count(), 8);
  EXPECT_THAT(Change({{"snapshot_policy", "hourly"}}),
              HasSubstr("snapshot_policy: changed on 2 objects"));
}

TEST_F(SettingChangesTest, SummaryNamesWhatFailedUpToAFew) {
  array.AddFault({{"method", "PATCH"}, {"nth", 2}, {"status", 403}, {"code", 6}});
  const auto one = Change({{"qos_policy", "gold"}});
  EXPECT_THAT(one, HasSubstr("QoS policy: not changed on 1 of 7 objects (vm-100-disk-1): "));
  EXPECT_EQ(QosOf("t_vm_200_disk_0"), "gold") << "the others get it all the same";
  array.ClearFaults();
  array.AddFault({{"method", "PATCH"}, {"status", 403}, {"code", 6}, {"times", -1}});
  const auto all = Change({{"qos_policy", "silver"}, {"snapshot_autodelete", "1"}});
  EXPECT_THAT(all, HasSubstr("QoS policy and snapshot_autodelete: not changed on 7 of 7 objects"));
  EXPECT_THAT(all, HasSubstr(", …)"));
}

TEST_F(SettingChangesTest, APolicyThatIsTakenAwayIsGoneWhateverTheArrayCallsNone) {
  for (const char* form :
       {"none", "empty", "empty_others_ignored", "null", "null_others_ignored"}) {
    array.Set("qos_removal", form);
    Change({{"qos_policy", "gold"}});
    ASSERT_EQ(QosOf("t_vm_100_disk_0"), "gold");
    StorageConfig with_policy;
    with_policy.qos_policy = "gold";
    Rig after(array);
    const auto changed = after.backend().ApplyChanges(with_policy, after.Budget());
    EXPECT_TRUE(changed.ok()) << changed.error().Line();
    EXPECT_THAT(after.TakeLog(), HasSubstr("QoS policy: changed on 7 objects")) << form;
    EXPECT_EQ(QosOf("t_vm_100_disk_0"), "") << form;
    EXPECT_EQ(QosOf("t_vm_200_disk_0"), "") << form;
  }
}

TEST_F(SettingChangesTest, NothingIsAskedWhenNothingOfThatKindChanged) {
  Change({{"autosize_max_percent", "400"}});
  EXPECT_EQ(array.Count(), 0);
}

}  // namespace
}  // namespace ontapnvme::catalogue::flexvol
