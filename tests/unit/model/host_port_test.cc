// SPDX-License-Identifier: AGPL-3.0-or-later
#include "model/host_port.h"

#include <gtest/gtest.h>

namespace ontapnvme {
namespace {

struct Written {
  const char* text;
  const char* host;
  std::uint16_t port;
};
class HostPortTest : public testing::TestWithParam<Written> {};

TEST_P(HostPortTest, IsReadAsItIsMeant) {
  const auto read = HostPort::Parse(GetParam().text, 443);
  ASSERT_TRUE(read.ok()) << read.error().Line();
  EXPECT_EQ(read->host, GetParam().host);
  EXPECT_EQ(read->port, GetParam().port);
}

INSTANTIATE_TEST_SUITE_P(Forms, HostPortTest,
                         testing::Values(Written{"192.0.2.1", "192.0.2.1", 443},
                                         Written{"192.0.2.1:8443", "192.0.2.1", 8443},
                                         Written{"array.example.org", "array.example.org", 443},
                                         Written{"array.example.org:1", "array.example.org", 1},
                                         Written{"array-1_mgmt:65535", "array-1_mgmt", 65535},
                                         Written{"array.example.org.", "array.example.org.", 443},
                                         Written{"2001:db8::1", "2001:db8::1", 443},
                                         // what looks like a port is the address's last group
                                         Written{"2001:db8::8443", "2001:db8::8443", 443},
                                         Written{"::1", "::1", 443},
                                         Written{"[2001:db8::1]", "2001:db8::1", 443},
                                         Written{"[2001:db8::1]:8443", "2001:db8::1", 8443},
                                         Written{"::ffff:192.0.2.1", "::ffff:192.0.2.1", 443}));

class NoHostPortTest : public testing::TestWithParam<std::string> {};

TEST_P(NoHostPortTest, IsRefused) {
  EXPECT_TRUE(FailedWith(HostPort::Parse(GetParam(), 443), ErrorCode::kInvalidArgument));
}

using namespace std::string_literals;  // NOLINT: for texts with a NUL
INSTANTIATE_TEST_SUITE_P(Forms, NoHostPortTest,
                         testing::Values(""s, " "s, "a b"s, "https://array"s, "array/api"s,
                                         "user@array"s, "-array"s, ".array"s, "a..b"s, "array:"s,
                                         "array:0"s, "array:65536"s, "array:443x"s, "array: 443"s,
                                         "array:+443"s, "array:-1"s, "array:443:443"s, ":443"s,
                                         "[::1"s, "[::1]443"s, "[::1]:"s, "[::1]:0"s,
                                         "[::1]:99999"s, "[array]"s, "[192.0.2.1]:443"s, "[]"s,
                                         "::1]"s, "fe80::1%eth0"s, "array\n"s, "array\0"s,
                                         "::1\0/x"s, "[::1\0]"s, "ärray"s, std::string(254, 'a')));

TEST(HostPortTest, LongestHostNameIsTaken) {
  const auto read = HostPort::Parse(std::string(253, 'a') + ":1", 443);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->host.size(), 253U);
}

}  // namespace
}  // namespace ontapnvme
