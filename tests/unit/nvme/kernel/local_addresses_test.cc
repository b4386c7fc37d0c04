// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/kernel/local_addresses.h"

#include <gmock/gmock.h>

namespace ontapnvme::nvme {
namespace {

TEST(LocalAddressesTest, HasTheLoopbackThatEveryMachineHas) {
  EXPECT_THAT(LocalAddresses(), testing::Contains("127.0.0.1"));
}

}  // namespace
}  // namespace ontapnvme::nvme
