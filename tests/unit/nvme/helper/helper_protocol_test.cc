// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/helper/helper_protocol.h"

#include <gtest/gtest.h>

#include "fakes/nvme_fakes.h"

namespace ontapnvme::nvme {
namespace {

TEST(HelperProtocolTest, CarriesARequest) {
  const auto request = EncodeRequest(
      {{"verb", "connect"},
       {"nqn", kNqn},
       {"tls", ""},
       {"dhchap_secret", "DHHC-1:00:ia6zGodOr4SEG0Zzaw398rpY0wqipUWj4jWjUh4HWUz6aQ2n:"}});
  ASSERT_TRUE(request.ok());
  const auto fields = DecodeRequest(request->Reveal());
  EXPECT_EQ(fields.size(), 3U) << "an empty field is left out";
  EXPECT_EQ(fields.at("verb").Reveal(), "connect");
  EXPECT_EQ(fields.at("nqn").Reveal(), kNqn);
  EXPECT_EQ(fields.at("dhchap_secret").Reveal(),
            "DHHC-1:00:ia6zGodOr4SEG0Zzaw398rpY0wqipUWj4jWjUh4HWUz6aQ2n:");
}

TEST(HelperProtocolTest, RefusesWhatWouldBecomeALineOfItsOwn) {
  const auto request = EncodeRequest({{"verb", "connect"}, {"dhchap_secret", "s3cret\ntls=0"}});
  ASSERT_TRUE(FailedWith(request, ErrorCode::kInvalidArgument));
  EXPECT_EQ(request.error().Line().find("s3cret"), std::string::npos);
  EXPECT_FALSE(EncodeRequest({{"nqn", std::string(5000, 'x')}}).ok());
}

TEST(HelperProtocolTest, SkipsUnreadableLinesOfARequest) {
  EXPECT_TRUE(DecodeRequest("").empty());
  EXPECT_TRUE(DecodeRequest("\n\n=x\nkey\nkey=\n").empty());
  EXPECT_EQ(DecodeRequest("a=b=c").at("a").Reveal(), "b=c");
}

TEST(HelperProtocolTest, KnowsACompleteReply) {
  for (const char* whole : {"ok\n", "ok nvme3\n", "error 111 refused\n", "ns x y z\nok\n"}) {
    EXPECT_TRUE(IsCompleteReply(whole)) << whole;
  }
  for (const char* part : {"", "ok", "ok nvme3", "ns nvme0n1 x y\n", "okay\n", "error\n", "\n"}) {
    EXPECT_FALSE(IsCompleteReply(part)) << part;
  }
}

TEST(HelperProtocolTest, ReadsReplies) {
  EXPECT_EQ(DecodeReply("ok nvme3\n")->text, "nvme3");
  const auto refused = DecodeReply("error 111 the kernel refused\n");
  EXPECT_EQ(refused->error, 111);
  EXPECT_EQ(refused->text, "the kernel refused");
  const auto listed =
      DecodeReply("ns nvme0n1 " + TestUuid(1).Text() + " " + kNqn + "\nnoise\nok\n");
  ASSERT_EQ(listed->namespaces.size(), 1U);
  EXPECT_EQ(listed->namespaces[0].uuid, TestUuid(1));
  EXPECT_EQ(listed->namespaces[0].subsystem_nqn, kNqn);
  for (const char* odd : {"error x y\n", "error 0 none\n", "error -1 none\n", "noise\n"}) {
    EXPECT_FALSE(DecodeReply(odd).has_value()) << odd;
  }
}

}  // namespace
}  // namespace ontapnvme::nvme
