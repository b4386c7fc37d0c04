// SPDX-License-Identifier: AGPL-3.0-or-later
// No name server is asked here: small shell scripts stand in for getent.
#include "node/name_lookup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>

#include "fakes/fake_clock.h"
#include "fakes/temporary_folder.h"

namespace ontapnvme::node {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr Duration kLong{20'000};
constexpr Duration kShort{200};

class NameLookupTest : public testing::Test {
 protected:
  // The program's arguments are in "$@".
  void Resolver(const std::string& body) {
    const auto path = folder_.Write("resolver", "#!/bin/sh\n" + body + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  NameLookup Lookup() const { return {folder_ / "resolver", folder_ / "run", "tank"}; }
  Result<NameAnswer> Resolve(const std::vector<std::string>& names, Duration budget = kLong) {
    return Lookup().Resolve(names, Deadline(SystemClock(), budget, &interrupt_));
  }
  static void ExpectNoChildLeft() {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a zombie or a running child is left";
    EXPECT_EQ(errno, ECHILD);
  }
  // Of a portal that cannot be resolved.
  static void ExpectUnresolved(const Result<NameAnswer>& found, const char* reason) {
    ASSERT_TRUE(FailedWith(found, ErrorCode::kUnavailable));
    EXPECT_EQ(found.error().sentence(), "cannot resolve portal 'lif1.example'");
    EXPECT_THAT(found.error().reason(), HasSubstr(reason));
    EXPECT_THAT(found.error().Line(), HasSubstr("set the portal as an address"));
    EXPECT_EQ(found.error().origin().refusal, Refusal::kUnresolved);
  }

  fakes::TemporaryFolder folder_;
  fakes::FakeInterrupt interrupt_;
};

TEST_F(NameLookupTest, AddressIsItsOwnResultAndNobodyIsAsked) {
  Resolver("echo 192.0.2.99");
  for (const char* address : {"192.0.2.1", "2001:db8::1", "::1", "255.255.255.255"}) {
    const auto found = Resolve({address});
    ASSERT_TRUE(found.ok()) << address;
    EXPECT_THAT(found->addresses, ElementsAre(address));
  }
  EXPECT_THAT(Resolve({"2001:0DB8:0:0:0:0:0:1"})->addresses, ElementsAre("2001:db8::1"))
      << "as the kernel shows it";
  EXPECT_FALSE(folder_.Has("run/tank.names"));
}

TEST_F(NameLookupTest, TakesAllAddressesOfAllNamesOnceEach) {
  Resolver(
      "[ \"$1 $2 $#\" = 'ahosts -- 3' ] || exit 3\n"
      "case \"$3\" in\n"
      "a.example) printf '192.0.2.1 STREAM a.example\\n192.0.2.1 DGRAM\\n2001:db8::1\\tRAW\\n' ;;\n"
      "b.example) echo '192.0.2.2     STREAM'; echo '192.0.2.1 STREAM' ;;\n"
      "esac");
  const auto found = Resolve({"b.example", "192.0.2.7", "a.example"});
  ASSERT_TRUE(found.ok()) << found.error().Line();
  EXPECT_THAT(found->addresses, ElementsAre("192.0.2.2", "192.0.2.1", "192.0.2.7", "2001:db8::1"));
  EXPECT_FALSE(found->trouble);
  ExpectNoChildLeft();
}

TEST_F(NameLookupTest, ResolverThatHangsIsLeftInTime) {
  Resolver("exec sleep 1000");
  const auto start = std::chrono::steady_clock::now();
  ExpectUnresolved(Resolve({"lif1.example", "lif2.example"}, kShort), "do not answer in time");
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(10));
  ExpectNoChildLeft();
}

TEST_F(NameLookupTest, StopsWhenTheTaskIsStopped) {
  Resolver("exec sleep 1000");
  interrupt_ = fakes::FakeInterrupt(2);
  EXPECT_TRUE(FailedWith(Resolve({"lif1.example"}), ErrorCode::kInterrupted));
  ExpectNoChildLeft();
}

TEST_F(NameLookupTest, SaysWhyThereIsNoAddress) {
  Resolver("exit 2");
  ExpectUnresolved(Resolve({"lif1.example"}), "do not know it");
  Resolver("echo; echo 'lif1.example STREAM'; echo '<html>'; echo '1.2.3.4.5 RAW'");
  ExpectUnresolved(Resolve({"lif1.example"}), "do not know it");
  const NameLookup missing(folder_ / "none", folder_ / "run", "tank");
  ExpectUnresolved(missing.Resolve({"lif1.example"}, Deadline(SystemClock(), kLong)),
                   "cannot start");
}

TEST_F(NameLookupTest, ResolverThatNeverStopsWritingIsLeft) {
  Resolver("exec yes nonsense");
  ExpectUnresolved(Resolve({"lif1.example"}), "do not know it");
  ExpectNoChildLeft();
}

TEST_F(NameLookupTest, GoesOnWithWhatWasAnsweredBefore) {
  Resolver("echo 192.0.2.1; echo 192.0.2.2");
  ASSERT_TRUE(Resolve({"lif1.example"}).ok());
  for (const char* body : {"exec sleep 1000", "exit 2", "echo nonsense"}) {
    Resolver(body);
    const auto found = Resolve({"lif1.example"}, kShort);
    ASSERT_TRUE(found.ok()) << body << ": " << found.error().Line();
    EXPECT_THAT(found->addresses, ElementsAre("192.0.2.1", "192.0.2.2"));
    ASSERT_TRUE(found->trouble) << body;
    EXPECT_THAT(found->trouble->Line(), HasSubstr("answer_age=0 min"));
  }
  EXPECT_EQ(folder_.Mode("run/tank.names"), 0600U);
  EXPECT_FALSE(Resolve({"lif1.example", "lif2.example"}).ok()) << "nothing is known of one of them";
}

TEST_F(NameLookupTest, NewAnswerTakesThePlaceOfTheOldOne) {
  Resolver("echo 192.0.2.1");
  ASSERT_TRUE(Resolve({"lif1.example"}).ok());
  Resolver("echo 192.0.2.5");
  EXPECT_THAT(Resolve({"lif1.example"})->addresses, ElementsAre("192.0.2.5"));
  Resolver("exit 2");
  EXPECT_THAT(Resolve({"lif1.example"})->addresses, ElementsAre("192.0.2.5"));
  Lookup().Forget();
  EXPECT_FALSE(Resolve({"lif1.example"}).ok());
}

TEST_F(NameLookupTest, OldAnswersServeForAWeek) {
  Resolver("exit 2");
  const auto now_s =
      std::chrono::duration_cast<seconds>(SystemClock().WallTime().time_since_epoch()).count();
  std::filesystem::create_directory(folder_ / "run");
  const auto remember = [&](const std::string& value) {
    folder_.Write("run/tank.names", "lif1.example=" + value + "\n");
    return Resolve({"lif1.example"});
  };
  constexpr std::int64_t kDay_s = 86'400;
  const auto found = remember(std::to_string(now_s - 6 * kDay_s) + " 192.0.2.1");
  ASSERT_TRUE(found.ok()) << found.error().Line();
  EXPECT_THAT(found->trouble->Line(), HasSubstr("answer_age=8640 min"));
  ExpectUnresolved(remember(std::to_string(now_s - 8 * kDay_s) + " 192.0.2.1"), "do not know it");
  ExpectUnresolved(remember(std::to_string(now_s + kDay_s) + " 192.0.2.1"), "do not know it");
  for (const char* garbage : {"", "x", "192.0.2.1", "-1 192.0.2.1", "1", "1 nonsense"}) {
    ExpectUnresolved(remember(garbage), "do not know it");
  }
}

}  // namespace
}  // namespace ontapnvme::node
