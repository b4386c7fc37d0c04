// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/ip_address.h"

#include <gtest/gtest.h>

namespace ontapnvme {
namespace {

TEST(IsSameAddressTest, KnowsEverySpelling) {
  const std::pair<std::string_view, std::string_view> same[] = {
      {"10.0.0.1", "10.0.0.1"},
      {"fd00::1", "FD00:0:0:0::0001"},
      {"fd00:0000:0000:0000:0000:0000:0000:00ab", "fd00::AB"},
      {"[fd00::1]", "fd00::1"},
      {"fe80::1%eth0", "fe80::1"},
      {"[fe80::1%eth0]", "fe80:0::1%eth0"},
      {"::ffff:10.0.0.1", "10.0.0.1"},
      {"::ffff:a00:1", "10.0.0.1"},
      {"not an address", "not an address"},
  };
  for (const auto& [a, b] : same) {
    EXPECT_TRUE(IsSameAddress(a, b)) << a << " " << b;
    EXPECT_TRUE(IsSameAddress(b, a)) << a << " " << b;
  }
}

TEST(IsSameAddressTest, TellsDifferentOnesApart) {
  using namespace std::string_view_literals;
  const std::pair<std::string_view, std::string_view> different[] = {
      {"10.0.0.1", "10.0.0.10"},  {"fd00::1", "fd00::10"},   {"fd00::1", "10.0.0.1"},
      {"::10.0.0.1", "10.0.0.1"}, {"", "10.0.0.1"},          {"10.0.0.1", "10.0.0.1\0x"sv},
      {"host", "HOST"},           {"10.0.0.1", "010.0.0.1"}, {"fe80::1%eth0", "fe80::1%eth1"},
  };
  for (const auto& [a, b] : different) {
    EXPECT_FALSE(IsSameAddress(a, b)) << a << " " << b;
    EXPECT_FALSE(IsSameAddress(b, a)) << a << " " << b;
  }
}

TEST(PortTest, StandsBehindTheAddressInBrackets) {
  EXPECT_EQ(WithPort("10.0.0.1", 4420), "10.0.0.1:4420");
  EXPECT_EQ(WithPort("array", 443), "array:443");
  EXPECT_EQ(WithPort("fd00::1", 443), "[fd00::1]:443");
}

TEST(PortTest, IsTakenOff) {
  EXPECT_EQ(WithoutPort("10.0.0.1:4420"), "10.0.0.1");
  EXPECT_EQ(WithoutPort("[fd00::1]:4420"), "fd00::1");
  EXPECT_EQ(WithoutPort("[fd00::1]"), "fd00::1");
  EXPECT_EQ(WithoutPort("fd00::1"), "fd00::1");
  EXPECT_EQ(WithoutPort("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(WithoutPort("[fd00::1"), "[fd00::1");
  EXPECT_EQ(WithoutPort(""), "");
}

}  // namespace
}  // namespace ontapnvme
