// SPDX-License-Identifier: AGPL-3.0-or-later
#include "http/curl_transport.h"

#include <dirent.h>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <set>

#include "fakes/fake_clock.h"
#include "unit/http/tls_server.h"

namespace ontapnvme::http {
namespace {

using fakes::FakeInterrupt;
using std::chrono::seconds;
using testing::Certificate;
using ::testing::HasSubstr;
using testing::HttpAnswer;
using testing::MakeCertificate;
using ::testing::Not;
using testing::PemFile;
using testing::Reply;
using ::testing::StartsWith;
using testing::TlsServer;

std::set<int> OpenDescriptors() {
  std::set<int> fds;
  DIR* folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(folder)) {
    const std::string_view name = entry->d_name;
    int fd = -1;
    std::from_chars(name.data(), name.data() + name.size(), fd);
    if (fd >= 0 && fd != ::dirfd(folder)) fds.insert(fd);
  }
  ::closedir(folder);
  return fds;
}

class CurlTransportTest : public ::testing::Test {
 protected:
  static Reply Ok(const std::string& body = "{}") { return {.bytes = HttpAnswer(200, body)}; }

  void Serve(TlsServer::Handler handler) {
    leaf_ = MakeCertificate({}, &ca_);
    server_ = std::make_unique<TlsServer>(leaf_, std::move(handler));
  }

  CurlOptions Options() {
    CurlOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    options.username = "pve";
    options.password = Secret("s3cret");
    options.ca_file = ca_file_.path();
    options.client_app = "ontapnvme/test";
    return options;
  }

  Deadline Budget(Duration budget = seconds(20)) {
    return Deadline(SystemClock(), budget, &interrupt_);
  }

  static Request Get(std::string target = "/api/cluster") {
    Request request;
    request.target = std::move(target);
    return request;
  }
  static Request Post(std::string body) {
    Request request;
    request.method = Method::kPost;
    request.target = "/api/storage/volumes";
    request.body = std::move(body);
    request.is_idempotent = false;
    return request;
  }

  Certificate ca_ = MakeCertificate({.common_name = "test ca", .is_ca = true});
  PemFile ca_file_{ca_.x509.get()};
  Certificate leaf_;
  std::unique_ptr<TlsServer> server_;
  FakeInterrupt interrupt_;
};

TEST_F(CurlTransportTest, SendsWhatOntapExpects) {
  Serve([](const std::string&) { return Ok(R"({"a":1})"); });
  CurlTransport transport(Options());
  const auto answer = transport.Perform(Get("/api/x?name=a%2E%2E"), Budget());
  ASSERT_TRUE(answer.ok()) << answer.error().Line();
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(answer->body, R"({"a":1})");
  const std::string request = server_->requests().front();
  EXPECT_THAT(request, StartsWith("GET /api/x?name=a%2E%2E HTTP/1.1\r\n"));
  EXPECT_THAT(request, HasSubstr("Authorization: Basic cHZlOnMzY3JldA==\r\n"));
  EXPECT_THAT(request, HasSubstr("X-Dot-Client-App: ontapnvme/test\r\n"));
  EXPECT_THAT(request, HasSubstr("Accept: application/hal+json"));
}

TEST_F(CurlTransportTest, SendsABodyWithPostAndPatchOnly) {
  Serve([](const std::string&) { return Ok(); });
  CurlTransport transport(Options());
  ASSERT_TRUE(transport.Perform(Post(R"({"name":"v"})"), Budget()).ok());
  Request patch = Post("{}");
  patch.method = Method::kPatch;
  ASSERT_TRUE(transport.Perform(patch, Budget()).ok());
  Request del = Get("/api/storage/volumes/x");
  del.method = Method::kDelete;
  ASSERT_TRUE(transport.Perform(del, Budget()).ok());
  const auto requests = server_->requests();
  EXPECT_THAT(requests[0], StartsWith("POST /api/storage/volumes HTTP/1.1\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("Content-Type: application/json\r\n"));
  EXPECT_THAT(requests[0], HasSubstr("\r\n\r\n{\"name\":\"v\"}"));
  EXPECT_THAT(requests[0], Not(HasSubstr("Expect:")));
  EXPECT_THAT(requests[1], StartsWith("PATCH "));
  EXPECT_THAT(requests[1], HasSubstr("\r\n\r\n{}"));
  EXPECT_THAT(requests[2], StartsWith("DELETE /api/storage/volumes/x HTTP/1.1\r\n"));
  EXPECT_THAT(requests[2], Not(HasSubstr("Content-Length")));
}

TEST_F(CurlTransportTest, AnErrorStatusIsASuccessfulExchange) {
  Serve([](const std::string&) -> Reply { return {.bytes = HttpAnswer(404, R"({"error":{}})")}; });
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget());
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->status, 404);
}

TEST_F(CurlTransportTest, KeepsItsConnection) {
  Serve([](const std::string&) { return Ok(); });
  CurlTransport transport(Options());
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(CurlTransportTest, OpensAnewWhenTheServerClosed) {
  Serve(
      [](const std::string&) -> Reply { return {.bytes = HttpAnswer(200, "{}"), .closes = true}; });
  CurlTransport transport(Options());
  ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  EXPECT_EQ(server_->connections(), 2);
}

TEST_F(CurlTransportTest, ACutAnswerIsLost) {
  Serve([](const std::string&) -> Reply {
    return {.bytes = "HTTP/1.1 200 x\r\nContent-Length: 100\r\n\r\n{\"half\":", .closes = true};
  });
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_TRUE(answer.error().outcome_unknown());
}

TEST_F(CurlTransportTest, RefusesACertificateOfAnotherIssuer) {
  Serve([](const std::string&) { return Ok(); });
  const Certificate other = MakeCertificate({.common_name = "other ca", .is_ca = true});
  const PemFile other_file(other.x509.get());
  CurlOptions options = Options();
  options.ca_file = other_file.path();
  const auto answer = CurlTransport(options).Perform(Get(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_THAT(answer.error().Line(), HasSubstr("issuer is not known to this node"));
  EXPECT_FALSE(answer.error().outcome_unknown());
  EXPECT_TRUE(server_->requests().empty());
}

TEST_F(CurlTransportTest, RefusesASelfSignedCertificate) {
  leaf_ = MakeCertificate({});
  server_ = std::make_unique<TlsServer>(leaf_, [](const std::string&) { return Ok(); });
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_THAT(answer.error().Line(), HasSubstr("self-signed"));
}

TEST_F(CurlTransportTest, RefusesAnExpiredCertificate) {
  leaf_ = MakeCertificate({.not_before_seconds = -7200, .not_after_seconds = -3600}, &ca_);
  server_ = std::make_unique<TlsServer>(leaf_, [](const std::string&) { return Ok(); });
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_THAT(answer.error().Line(), HasSubstr("has expired"));
}

TEST_F(CurlTransportTest, RefusesACertificateOfAnotherName) {
  leaf_ = MakeCertificate({.alternative_name = "DNS:elsewhere.example"}, &ca_);
  server_ = std::make_unique<TlsServer>(leaf_, [](const std::string&) { return Ok(); });
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_THAT(answer.error().Line(), HasSubstr("made out to another name"));
}

TEST_F(CurlTransportTest, AcceptsAnyCertificateOnlyWhenTold) {
  leaf_ = MakeCertificate({.alternative_name = "DNS:elsewhere.example"});
  server_ = std::make_unique<TlsServer>(leaf_, [](const std::string&) { return Ok(); });
  CurlOptions options = Options();
  options.verify = false;
  EXPECT_TRUE(CurlTransport(options).Perform(Get(), Budget()).ok());
}

TEST_F(CurlTransportTest, NeverFollowsARedirect) {
  Serve([](const std::string&) -> Reply {
    return {.bytes =
                HttpAnswer(302, "", "Location: https://user:pw@evil.example/login?token=x\r\n")};
  });
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_THAT(answer.error().Line(), HasSubstr("redirect to 'evil.example'"));
  EXPECT_EQ(answer.error().origin().http_status, 302);
  EXPECT_TRUE(IsUnusablePeer(answer.error()));
  EXPECT_THAT(answer.error().Line(), Not(HasSubstr("token")));
  EXPECT_THAT(answer.error().Line(), Not(HasSubstr("pw")));
  EXPECT_EQ(server_->requests().size(), 1U);
}

TEST_F(CurlTransportTest, RefusesAHugeBody) {
  Serve([](const std::string&) { return Ok(std::string(300000, 'x')); });
  CurlOptions options = Options();
  options.limits.body_bytes_max = 100000;
  const auto answer = CurlTransport(options).Perform(Get(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_THAT(answer.error().Line(), HasSubstr("larger than any answer"));
  EXPECT_TRUE(IsUnusablePeer(answer.error()));
}

TEST_F(CurlTransportTest, RefusesAHugeHeader) {
  Serve([](const std::string&) -> Reply {
    std::string headers;
    for (int i = 0; i < 100; ++i) headers += "X-Fill: " + std::string(1000, 'x') + "\r\n";
    return {.bytes = HttpAnswer(200, "{}", headers)};
  });
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_THAT(answer.error().Line(), HasSubstr("header"));
}

TEST_F(CurlTransportTest, WaitsNoLongerThanItsDeadline) {
  Serve([](const std::string&) -> Reply { return {.bytes = "", .is_held = true}; });
  CurlTransport transport(Options());
  const auto start = std::chrono::steady_clock::now();
  const auto answer = transport.Perform(Get(), Budget(Duration(300)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(3));
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kTimedOut));
  EXPECT_TRUE(answer.error().outcome_unknown());
}

TEST_F(CurlTransportTest, SendsNothingWhenTheDeadlineHasPassed) {
  Serve([](const std::string&) { return Ok(); });
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget(Duration(0)));
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kTimedOut));
  EXPECT_FALSE(answer.error().outcome_unknown());
  EXPECT_EQ(server_->connections(), 0);
}

TEST_F(CurlTransportTest, ASignalEndsTheWait) {
  Serve([this](const std::string&) -> Reply {
    interrupt_.Raise();
    return {.bytes = "", .is_held = true};
  });
  CurlTransport transport(Options());
  const auto start = std::chrono::steady_clock::now();
  const auto answer = transport.Perform(Get(), Budget(seconds(30)));
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(5));
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kInterrupted));
  EXPECT_TRUE(answer.error().outcome_unknown());
}

TEST_F(CurlTransportTest, ARefusedConnectionWasNotSent) {
  unsigned port = 0;
  {
    Serve([](const std::string&) { return Ok(); });
    port = server_->port();
  }
  CurlOptions options = Options();
  server_.reset();
  options.port = port;
  const auto answer = CurlTransport(options).Perform(Post("{}"), Budget());
  ASSERT_TRUE(FailedWith(answer, ErrorCode::kUnavailable));
  EXPECT_FALSE(answer.error().outcome_unknown());
}

TEST_F(CurlTransportTest, AHostIsNoUrl) {
  Serve([](const std::string&) { return Ok(); });
  for (const char* host : {"", "a/b", "user@host", "a?b", "a b", "a#b"}) {
    CurlOptions options = Options();
    options.host = host;
    const auto answer = CurlTransport(options).Perform(Get(), Budget());
    EXPECT_TRUE(FailedWith(answer, ErrorCode::kInvalidArgument)) << host;
  }
}

TEST_F(CurlTransportTest, AnswersStandInTheOrderOfTheRequests) {
  Serve([](const std::string& request) {
    const auto end = request.find(' ', 4);
    return Ok(request.substr(4, end - 4));
  });
  CurlTransport transport(Options());
  std::vector<Request> requests;
  for (int i = 0; i < 20; ++i) requests.push_back(Get("/api/" + std::to_string(i)));
  const auto answers = transport.PerformAll(requests, Budget());
  ASSERT_EQ(answers.size(), requests.size());
  for (std::size_t i = 0; i < answers.size(); ++i) {
    ASSERT_TRUE(answers[i].ok()) << answers[i].error().Line();
    EXPECT_EQ(answers[i]->body, requests[i].target);
  }
  EXPECT_LE(server_->most_at_once(), 6);
}

TEST_F(CurlTransportTest, RunsRequestsSideBySide) {
  // Nobody is answered before all have arrived.
  std::mutex mutex;
  std::condition_variable arrived;
  int waiting = 0;
  Serve([&](const std::string&) {
    std::unique_lock lock(mutex);
    ++waiting;
    arrived.notify_all();
    arrived.wait_for(lock, seconds(10), [&] { return waiting >= 3; });
    return Ok();
  });
  CurlTransport transport(Options());
  for (const auto& answer : transport.PerformAll({Get(), Get(), Get()}, Budget())) {
    EXPECT_TRUE(answer.ok());
  }
  EXPECT_EQ(server_->most_at_once(), 3);
}

TEST_F(CurlTransportTest, OneFailureLeavesTheOthersAlone) {
  Serve([](const std::string& request) -> Reply {
    if (request.find("/bad") != std::string::npos) return {.bytes = "", .closes = true};
    return Ok();
  });
  CurlTransport transport(Options());
  const auto answers = transport.PerformAll({Get("/a"), Get("/bad"), Get("/b")}, Budget());
  EXPECT_TRUE(answers[0].ok());
  EXPECT_FALSE(answers[1].ok());
  EXPECT_TRUE(answers[2].ok());
}

TEST_F(CurlTransportTest, ItsDescriptorsAreCloseOnExec) {
  Serve([](const std::string&) { return Ok(); });
  const auto before = OpenDescriptors();
  CurlTransport transport(Options());
  ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  int seen = 0;
  for (const int fd : OpenDescriptors()) {
    if (before.contains(fd)) continue;
    ++seen;
    EXPECT_NE(::fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << fd;
  }
  EXPECT_GT(seen, 0);
}

TEST_F(CurlTransportTest, LeavesNoDescriptorBehind) {
  Serve([](const std::string&) { return Ok(); });
  {
    CurlTransport transport(Options());
    ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  }
  const auto before = OpenDescriptors();  // what libcurl and OpenSSL keep is open by now
  {
    CurlTransport transport(Options());
    ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
    ASSERT_TRUE(transport.Perform(Post("{}"), Budget()).ok());
  }
  // The server's ends close on their own threads.
  for (int i = 0; i < 200 && OpenDescriptors().size() > before.size(); ++i) ::usleep(5000);
  EXPECT_LE(OpenDescriptors().size(), before.size());
}

TEST_F(CurlTransportTest, AForkedChildLeavesItsParentConnected) {
  Serve([](const std::string&) { return Ok(); });
  CurlTransport transport(Options());
  ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_well = transport.Perform(Get("/api/child"), Budget()).ok() &&
                         transport.Perform(Get("/api/child"), Budget()).ok();
    ::_exit(is_well ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ASSERT_TRUE(transport.Perform(Get(), Budget()).ok());
  EXPECT_EQ(server_->connections(), 2);  // one for the parent, one for the child, none lost
}

TEST_F(CurlTransportTest, AForkedChildThatOnlyDestroysItSaysNothing) {
  Serve([](const std::string&) { return Ok(); });
  auto transport = std::make_unique<CurlTransport>(Options());
  ASSERT_TRUE(transport->Perform(Get(), Budget()).ok());
  const pid_t child = ::fork();
  if (child == 0) {
    transport.reset();
    ::_exit(0);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(transport->Perform(Get(), Budget()).ok());
  EXPECT_EQ(server_->connections(), 1);
}

TEST_F(CurlTransportTest, IgnoresAProxyOfTheEnvironment) {
  Serve([](const std::string&) { return Ok(); });
  ::setenv("https_proxy", "http://127.0.0.1:1", 1);
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget());
  ::unsetenv("https_proxy");
  EXPECT_TRUE(answer.ok());
}

TEST_F(CurlTransportTest, LetsNoSigpipeOut) {
  struct sigaction fatal {};
  struct sigaction before {};
  fatal.sa_handler = [](int) { ::_exit(42); };
  ::sigaction(SIGPIPE, &fatal, &before);
  Serve(
      [](const std::string&) -> Reply { return {.bytes = HttpAnswer(200, "{}"), .closes = true}; });
  {
    CurlTransport transport(Options());
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(transport.Perform(Get(), Budget()).ok());
      EXPECT_TRUE(transport.Perform(Post(std::string(100000, ' ')), Budget()).ok());
    }
  }
  sigset_t blocked;
  ::pthread_sigmask(SIG_BLOCK, nullptr, &blocked);
  EXPECT_EQ(sigismember(&blocked, SIGPIPE), 0);
  ::sigaction(SIGPIPE, &before, nullptr);
}

TEST_F(CurlTransportTest, NeverPutsTheSecretIntoAnError) {
  Serve([](const std::string&) -> Reply { return {.bytes = "", .closes = true}; });
  const auto answer = CurlTransport(Options()).Perform(Get(), Budget());
  ASSERT_FALSE(answer.ok());
  EXPECT_THAT(answer.error().Line(), Not(HasSubstr("s3cret")));
  EXPECT_THAT(answer.error().Line(), Not(HasSubstr("cHZl")));
}

}  // namespace
}  // namespace ontapnvme::http
