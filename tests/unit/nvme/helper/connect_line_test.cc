// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/helper/connect_line.h"

#include <gtest/gtest.h>

#include <tuple>

namespace ontapnvme::nvme {
namespace {

RequestFields Request() {
  RequestFields fields;
  for (const auto& [key, value] : {std::pair{"nqn", "nqn.2014-08.com.example:s"},
                                   {"traddr", "fd00::1"},
                                   {"trsvcid", "4420"},
                                   {"hostnqn", "nqn.2014-08.com.example:h"},
                                   {"hostid", "3c2f4d1e-0a1b-4c2d-8e3f-112233445566"}}) {
    fields.emplace(key, Secret(value));
  }
  return fields;
}

TEST(ConnectLineTest, SaysEverythingThatTheKernelNeeds) {
  const auto line = BuildConnectLine(Request(), 4);
  ASSERT_TRUE(line.ok());
  EXPECT_EQ(line->Reveal(),
            "transport=tcp,nqn=nqn.2014-08.com.example:s,traddr=fd00::1,trsvcid=4420,"
            "hostnqn=nqn.2014-08.com.example:h,hostid=3c2f4d1e-0a1b-4c2d-8e3f-112233445566,"
            "nr_io_queues=4,keep_alive_tmo=5,reconnect_delay=2,ctrl_loss_tmo=-1");
}

TEST(ConnectLineTest, AddsSecretsAndTls) {
  auto request = Request();
  request.emplace("dhchap_secret", Secret("DHHC-1:00:abc=:"));
  request.emplace("dhchap_ctrl_secret", Secret("DHHC-1:00:def=:"));
  request.emplace("tls", Secret("1"));
  request.emplace("tls_psk", Secret("NVMeTLSkey-1:01:xyz:"));
  const auto line = BuildConnectLine(request, 1);
  EXPECT_TRUE(line->Reveal().ends_with(
      ",tls,dhchap_secret=DHHC-1:00:abc=:,dhchap_ctrl_secret=DHHC-1:00:def=:"));
  EXPECT_EQ(line->Reveal().find("NVMeTLSkey"), std::string_view::npos) << "it goes to the keyring";
  request.emplace("tls_key", Secret("777"));
  EXPECT_NE(BuildConnectLine(request, 1)->Reveal().find(",tls,tls_key=777,"), std::string::npos);
}

TEST(ConnectLineTest, RefusesWhatWouldBecomeAnOptionOfItsOwn) {
  for (const char* key : {"nqn", "traddr", "hostnqn", "hostid", "trsvcid", "dhchap_secret"}) {
    auto request = Request();
    request.insert_or_assign(key, Secret("x,duplicate_connect"));
    const auto line = BuildConnectLine(request, 1);
    ASSERT_TRUE(FailedWith(line, ErrorCode::kInvalidArgument)) << key;
    EXPECT_EQ(line.error().Line().find("duplicate_connect"), std::string::npos);
  }
  for (const char* key : {"nqn", "traddr", "hostnqn", "hostid", "trsvcid"}) {
    auto request = Request();
    request.erase(key);
    EXPECT_TRUE(FailedWith(BuildConnectLine(request, 1), ErrorCode::kInvalidArgument)) << key;
  }
  auto request = Request();
  request.emplace("dhchap_secret", Secret(std::string(5000, 'x')));
  EXPECT_FALSE(BuildConnectLine(request, 1).ok());
}

TEST(ConnectLineTest, KnowsWhatTheKernelCannotDo) {
  // As /dev/nvme-fabrics of a kernel without authentication and TLS reads.
  const auto options = ParseOptionNames(
      "instance=-1,cntlid=-1,transport=%s,traddr=%s,nqn=%s,ctrl_loss_tmo=%d,tos=%d\n");
  EXPECT_TRUE(options.contains("ctrl_loss_tmo"));
  EXPECT_EQ(MissingOption(Request(), options), std::nullopt);
  auto request = Request();
  request.emplace("dhchap_secret", Secret("x"));
  EXPECT_EQ(MissingOption(request, options), "dhchap_secret");
  request.erase("dhchap_secret");
  request.emplace("tls", Secret("1"));
  EXPECT_EQ(MissingOption(request, options), "tls");
  EXPECT_EQ(MissingOption(request, ParseOptionNames("tls,nqn=%s")), std::nullopt);
  EXPECT_EQ(MissingOption(request, {}), std::nullopt) << "it does not say: its EINVAL will";
}

TEST(ConnectLineTest, ReadsTheNewControllersNumber) {
  EXPECT_EQ(ParseInstance("instance=3,cntlid=1\n"), 3U);
  EXPECT_EQ(ParseInstance("cntlid=1,instance=12"), 12U);
  for (const char* odd : {"", "instance=", "instance=-1", "instance=3x", "cntlid=1"}) {
    EXPECT_EQ(ParseInstance(odd), std::nullopt) << odd;
  }
}

TEST(ConnectLineTest, TakesOneQueuePerCpuWithinBounds) {
  EXPECT_EQ(IoQueuesFor(4), 4U);
  EXPECT_EQ(IoQueuesFor(256), 16U);
  EXPECT_EQ(IoQueuesFor(-1), 1U);
}

}  // namespace
}  // namespace ontapnvme::nvme
