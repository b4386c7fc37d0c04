// SPDX-License-Identifier: AGPL-3.0-or-later
// A changed setting reaches what exists already, and nothing that is somebody else's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fault/storage_rig.h"

namespace ontapnvme::fault {
namespace {

using testing::HasSubstr;

class SettingChangesTest : public testing::Test {
 protected:
  SettingChangesTest() {
    StorageRig before(array);
    EXPECT_TRUE(before.storage().Activate().ok());
    before.MustAllocate(100);
    before.MustAllocate(100);
    before.MustAllocate(200);
    StorageRig foreign(array, {.cluster_id = "99999999-2222-3333-4444-555555555555"});
    foreign.MustAllocate(300);
  }

  std::string Change(const Settings& settings) {
    StorageRig after(array, {.settings = settings});
    const auto changed = after.storage().ApplyChanges(old_settings);
    EXPECT_TRUE(changed.ok()) << changed.error().Line();
    std::string lines;
    for (const auto& record : after.storage().TakeLog()) {
      if (record.level >= LogLevel::kInfo) lines += record.text + "\n";
    }
    return lines;
  }
  const sim::Volume& Volume(const std::string& name) {
    for (const auto& volume : array.sim.world().volumes) {
      if (volume.name == name) return volume;
    }
    throw std::runtime_error("no volume " + name);
  }
  std::string QosOf(const std::string& name) {
    const auto* policy = array.sim.world().qos_policies.Find(Volume(name).qos_policy_uuid);
    return policy == nullptr ? "" : policy->name;
  }
  std::string PolicyOfGroup(const std::string& name) {
    for (const auto& group : array.sim.world().groups) {
      if (group.name != name) continue;
      const auto* policy = array.sim.world().snapshot_policies.Find(group.snapshot_policy_uuid);
      return policy == nullptr ? "" : policy->name;
    }
    return "";
  }

  Settings old_settings = {{"mgmt_ip", "192.0.2.1"}, {"username", "admin"},
                           {"vserver", "svm1"},      {"subsystem", "pve"},
                           {"aggregate", "aggr1"},   {"storage_prefix", "t_"}};
  TestArray array;
};

TEST_F(SettingChangesTest, QosPolicyGoesToAllDisksAndAwayAgain) {
  EXPECT_THAT(Change({{"qos_policy", "gold"}}), HasSubstr("changed on 3 objects"));
  EXPECT_EQ(QosOf("t_vm_100_disk_1"), "gold");
  EXPECT_EQ(QosOf("t_vm_300_disk_0"), "") << "another cluster's";
  old_settings["qos_policy"] = "gold";
  Change({});
  EXPECT_EQ(QosOf("t_vm_100_disk_1"), "");
}

TEST_F(SettingChangesTest, SnapshotPolicyGoesToAllGroups) {
  EXPECT_THAT(Change({{"snapshot_policy", "hourly"}}), HasSubstr("changed on 2 objects"));
  EXPECT_EQ(PolicyOfGroup("t_pve_cg_vm_100"), "hourly");
  EXPECT_EQ(PolicyOfGroup("t_pve_cg_vm_200"), "hourly");
  EXPECT_EQ(PolicyOfGroup("t_pve_cg_vm_300"), "none") << "another cluster's, as it was made";
}

TEST_F(SettingChangesTest, AutodeleteSparesProxmoxsSnapshotsThereToo) {
  Change({{"snapshot_autodelete", "1"}});
  const auto autodelete =
      Volume("t_vm_100_disk_0").extras.at("space").at("snapshot").at("autodelete");
  EXPECT_EQ(autodelete.at("enabled"), true);
  EXPECT_EQ(autodelete.at("prefix"), "pve_");
}

TEST_F(SettingChangesTest, RansomwareProtectionGoesToAllDisksUnlessItIsTheArrays) {
  array.Set("release", "9.18.1");
  array.clock->Advance(std::chrono::hours(2));  // the release is read anew
  EXPECT_THAT(Change({{"ransomware_protection", "off"}}), HasSubstr("changed on 3 objects"));
  EXPECT_EQ(Volume("t_vm_100_disk_1").extras.at("anti_ransomware").at("state"), "disabled");
  EXPECT_FALSE(Volume("t_vm_300_disk_0").extras.contains("anti_ransomware")) << "another cluster's";
  old_settings["ransomware_protection"] = "off";
  array.ClearLog();
  Change({{"ransomware_protection", "array"}});
  EXPECT_EQ(array.Count(), 0);
}

TEST_F(SettingChangesTest, WhatCouldNotBeChangedIsCountedAndNamed) {
  array.AddFault({{"method", "PATCH"}, {"nth", 2}, {"status", 403}, {"code", 6}});
  const auto lines = Change({{"qos_policy", "gold"}});
  EXPECT_THAT(lines, HasSubstr("not changed on 1 of 3 objects (vm-100-disk-1)"));
  EXPECT_EQ(QosOf("t_vm_200_disk_0"), "gold") << "the others get it all the same";
}

TEST_F(SettingChangesTest, NothingIsAskedWhenNothingOfThatKindChanged) {
  array.ClearLog();
  Change({{"autosize_max_percent", "400"}});
  EXPECT_EQ(array.Count(), 0);
}

}  // namespace
}  // namespace ontapnvme::fault
