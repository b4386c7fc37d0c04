// SPDX-License-Identifier: AGPL-3.0-or-later
// What the sweeps do to a storage: every operation, with what it needs before and what must hold after.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "fakes/temporary_folder.h"
#include "fault/storage_rig.h"

namespace ontapnvme::fault {

// Which array it happens on.
enum class Kind { kUsual, kWithJobs, kHard };

// One storage with a bystander's disk that nothing may touch.
class SweptWorld {
 public:
  // The memory of the cluster is what tells a disk that is not listed yet from one that is not there.
  explicit SweptWorld(Kind kind)
      : rig(array, {.disk_memory_file = folder.path() + "/tank.disks", .has_device_files = true}) {
    if (kind == Kind::kWithJobs) array.Set("async", "always");
    if (kind == Kind::kHard) {
      array.BeHard();
      // Undoing has 8 s. What takes the array longer is left to recovery.
      array.Set("late_listing_ms", "2000");
      array.Set("volume_busy_s", "5");
      // Where jobs may not be read nobody can know that a restore has worked.
      array.Set("job_reads", "take");
      array.Set("role", "full");
      // The sizes of the operations below are smaller.
      array.Set("namespace_minimum", "4096");
    }
    EXPECT_TRUE(rig.storage().Activate().ok());
    bystander = rig.MustAllocate(999);
    rig.Write(bystander, "bystander");
    Later();
  }

  // The next task comes when everything is listed.
  void Later() { array.clock->Advance(std::chrono::minutes(1)); }

  void ExpectBystanderUntouched() {
    EXPECT_EQ(rig.Content(bystander), "bystander");
    const auto snapshots = rig.storage().ListSnapshots(bystander);
    ASSERT_TRUE(snapshots.ok()) << snapshots.error().Line();
    EXPECT_THAT(*snapshots, testing::IsEmpty());
  }

  TestArray array;
  fakes::TemporaryFolder folder;
  StorageRig rig;
  std::string bystander;
};

struct Operation {
  const char* name;
  std::function<void(SweptWorld&)> prepare;
  std::function<Status(SweptWorld&)> run;
  // What must hold after the operation has succeeded, at once or when repeated.
  std::function<void(SweptWorld&)> expect_done;
};

const std::vector<Operation>& Operations();

}  // namespace ontapnvme::fault
