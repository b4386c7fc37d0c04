// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/identity.h"

#include <gtest/gtest.h>

#include <random>

#include "fakes/nvme_fakes.h"
#include "fakes/sysfs_tree.h"

namespace ontapnvme::nvme {
namespace {

constexpr const char* kHostNqn =
    "nqn.2014-08.org.nvmexpress:uuid:3c2f4d1e-0a1b-4c2d-8e3f-112233445566";
constexpr const char* kHostId = "3c2f4d1e-0a1b-4c2d-8e3f-112233445566";

TEST(NqnTest, AcceptsWhatTheSpecificationAllows) {
  for (const std::string& nqn :
       {std::string(kHostNqn), std::string(kNqn), std::string("nqn.2014-08.com.example:nvme.host"),
        std::string("nqn.2014-08.com.example:nvme:nvm-subsystem-sn-d78432"),
        std::string("nqn.1988-11.com.dell:PowerEdge.R760.1234567"),
        std::string("nqn.2020-12.org.example:a b_c/d=e;f"), std::string("nqn.2001-01.c:x"),
        std::string("nqn.2014-08.org.nvmexpress:other:form"),
        std::string("nqn.2014-08.com.example:h\xc3\xb6st"),
        "nqn.2014-08.com.example:" + std::string(199, 'x')}) {
    EXPECT_TRUE(IsValidNqn(nqn)) << nqn;
  }
}

TEST(NqnTest, RefusesWhatItDoesNot) {
  for (const std::string& nqn :
       {std::string(""), std::string("nqn."), std::string("iqn.1993-08.org.debian:01:abc"),
        std::string("nqn.2014-08"), std::string("nqn.2014-08.com.example"),
        std::string("nqn.2014-08.com.example:"), std::string("nqn.2014-13.com.example:x"),
        std::string("nqn.2014-00.com.example:x"), std::string("nqn.14-08.com.example:x"),
        std::string("nqn.2014-08.:x"), std::string("nqn.2014-08:x"),
        std::string("NQN.2014-08.com.example:x"), std::string("nqn.2014-08.com.example:a,tls"),
        std::string("nqn.2014-08.com.example:a\nb"),
        std::string("nqn.2014-08.org.nvmexpress:uuid:1234"),
        "nqn.2014-08.com.example:" + std::string(200, 'x')}) {
    EXPECT_FALSE(IsValidNqn(nqn)) << nqn;
  }
}

TEST(NqnTest, JudgesAnyTextWithoutFault) {
  std::mt19937 random(7);
  for (int round = 0; round < 5000; ++round) {
    std::string text = "nqn.2014-08.com.example:";
    text.resize(random() % (text.size() + 1));
    for (std::size_t i = random() % 220; i > 0; --i) text += static_cast<char>(random());
    if (!IsValidNqn(text)) continue;
    EXPECT_LE(text.size(), 223U);
    EXPECT_EQ(text.find(','), std::string::npos);
  }
}

class IdentityTest : public testing::Test {
 protected:
  SysfsTree tree_;
  RootedFiles etc_{tree_.Path("etc")}, sys_{tree_.sys()}, modules_{tree_.Path("modules")};
};

TEST_F(IdentityTest, ReadsBothFiles) {
  tree_.Write("etc/nvme/hostnqn", std::string(" ") + kHostNqn + "\r\n\n");
  tree_.Write("etc/nvme/hostid", std::string(kHostId) + "\n");
  const auto identity = ReadIdentity(etc_);
  ASSERT_TRUE(identity.ok()) << identity.error().Line();
  EXPECT_EQ(identity->host_nqn, kHostNqn);
  EXPECT_EQ(identity->host_id, kHostId);
}

TEST_F(IdentityTest, HostIdFollowsFromTheNqnWhereItsFileIsMissing) {
  tree_.Write("etc/nvme/hostnqn", "nqn.2014-08.org.nvmexpress:uuid:" + std::string(kHostId) + "\n");
  for (const char* none : {"", "\n", "# set by the installer\n"}) {
    if (*none != 0) tree_.Write("etc/nvme/hostid", none);
    const auto identity = ReadIdentity(etc_);
    ASSERT_TRUE(identity.ok()) << identity.error().Line();
    EXPECT_EQ(identity->host_id, kHostId);
  }
  tree_.Link("hostid", "etc/nvme/hostid");  // ELOOP: what it holds is not known
  EXPECT_FALSE(ReadIdentity(etc_).ok());
}

TEST_F(IdentityTest, CommentsAndBlankLinesAreNotTheIdentity) {
  tree_.Write("etc/nvme/hostnqn", "# this node\n\n  # more\n" + std::string(kHostNqn) + "\n\n");
  tree_.Write("etc/nvme/hostid", std::string("\n#\n") + kHostId);
  const auto identity = ReadIdentity(etc_);
  ASSERT_TRUE(identity.ok()) << identity.error().Line();
  EXPECT_EQ(identity->host_nqn, kHostNqn);
  EXPECT_EQ(identity->host_id, kHostId);
}

TEST_F(IdentityTest, NamesTheCommandThatMakesAMissingFile) {
  auto missing = ReadIdentity(etc_);
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kUnsupported));
  EXPECT_NE(missing.error().Line().find("put back the NQN that the subsystem on the array lists"),
            std::string::npos)
      << "a new one would cut off a node that is registered";
  EXPECT_NE(missing.error().Line().find("nvme gen-hostnqn > /etc/nvme/hostnqn"), std::string::npos);
  tree_.Write("etc/nvme/hostnqn", "nqn.2014-08.com.example:node1");
  missing = ReadIdentity(etc_);
  ASSERT_TRUE(FailedWith(missing, ErrorCode::kUnsupported));
  EXPECT_NE(missing.error().Line().find("uuidgen > /etc/nvme/hostid"), std::string::npos);
}

TEST_F(IdentityTest, RefusesMalformedFiles) {
  tree_.Write("etc/nvme/hostid", kHostId);
  for (const std::string& text :
       {std::string("\n"), std::string("host1"),
        std::string(kHostNqn) + "\nnqn.2014-08.com.example:second", std::string(5000, 'n')}) {
    tree_.Write("etc/nvme/hostnqn", text);
    EXPECT_TRUE(FailedWith(ReadIdentity(etc_), ErrorCode::kUnsupported)) << text.substr(0, 20);
  }
  tree_.Write("etc/nvme/hostnqn", kHostNqn);
  for (const char* text : {"1234", "00000000-0000-0000-0000-000000000000"}) {
    tree_.Write("etc/nvme/hostid", text);
    EXPECT_TRUE(FailedWith(ReadIdentity(etc_), ErrorCode::kUnsupported)) << text;
  }
}

TEST_F(IdentityTest, KnowsAKernelWithoutTheTransport) {
  EXPECT_TRUE(RequireNvmeTcp(sys_, modules_, "6.8.12-pve").ok()) << "loaded";
  tree_.Remove("sys/module/nvme_tcp");
  EXPECT_TRUE(RequireNvmeTcp(sys_, modules_, "6.8.12-pve").ok()) << "its modules are gone";
  const std::string host = "modules/6.8.12-pve/kernel/drivers/nvme/host/";
  tree_.Write(host + "nvme-rdma.ko", "");
  EXPECT_TRUE(FailedWith(RequireNvmeTcp(sys_, modules_, "6.8.12-pve"), ErrorCode::kUnsupported));
  tree_.Write(host + "nvme-tcp.ko.zst", "");
  EXPECT_TRUE(RequireNvmeTcp(sys_, modules_, "6.8.12-pve").ok());
}

}  // namespace
}  // namespace ontapnvme::nvme
