// SPDX-License-Identifier: AGPL-3.0-or-later
// What only a real connection shows: keep-alive, lost and cut answers, the certificate.
#include "https_server.h"

#include <httplib.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kCluster = "/api/cluster";

class HttpsServerTest : public SimTest {
 protected:
  HttpsServerTest() {
    std::string pattern = fs::temp_directory_path() / "ontap-sim-https-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    std::ofstream(folder_ / "ca.pem") << identity_.ca_pem;
  }
  ~HttpsServerTest() override { fs::remove_all(folder_); }

  std::unique_ptr<httplib::SSLClient> Connect() {
    auto client =
        std::make_unique<httplib::SSLClient>("127.0.0.1", server_.endpoints().front().port);
    client->set_basic_auth("admin", "secret");
    client->set_ca_cert_path((folder_ / "ca.pem").c_str());
    client->enable_server_certificate_verification(true);
    client->set_keep_alive(true);
    return client;
  }
  void AddFault(json rule) {
    rule["cmd"] = "fault-add";
    const std::lock_guard<std::mutex> lock(mutex_);
    Ctl(rule);
  }
  std::vector<json> Log() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return sim_.Ctl({{"cmd", "log"}})["requests"];
  }
  json Traffic() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return sim_.Ctl({{"cmd", "traffic"}})["traffic"];
  }

  fs::path folder_;
  std::mutex mutex_;
  ServerIdentity identity_ = MakeServerIdentity({"127.0.0.1"});
  HttpsServer server_{&sim_.array(), &mutex_, identity_, {Endpoint::Parse("127.0.0.1:0")}};
};

TEST_F(HttpsServerTest, AnswersATrustingClientAndNoOther) {
  const auto answer = Connect()->Get(kCluster);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 200);
  EXPECT_EQ(json::parse(answer->body)["name"], "sim");
  httplib::SSLClient stranger("127.0.0.1", server_.endpoints().front().port);
  stranger.enable_server_certificate_verification(true);
  EXPECT_FALSE(stranger.Get(kCluster));
}

TEST_F(HttpsServerTest, NumbersConnections) {
  const auto first = Connect();
  first->Get(kCluster);
  first->Get(kCluster);
  Connect()->Get(kCluster);
  const auto log = Log();
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log[0]["connection"], log[1]["connection"]);
  EXPECT_NE(log[0]["connection"], log[2]["connection"]);
}

// Whoever counts bytes counts what a cable would carry: more than the body, by headers and TLS.
TEST_F(HttpsServerTest, CountsSessionsAndBytes) {
  const auto client = Connect();
  const auto answer = client->Get(kCluster);
  ASSERT_TRUE(answer);
  const json one = Traffic();
  EXPECT_EQ(one["tcp_sessions"], 1);
  EXPECT_EQ(one["tls_sessions"], 1);
  EXPECT_EQ(one["tls_resumed"], 0);
  EXPECT_GT(one["bytes_sent"], answer->body.size());
  EXPECT_GT(one["bytes_received"], 0);
  client->Get(kCluster);
  const json two = Traffic();
  EXPECT_EQ(two["tls_sessions"], 1);
  EXPECT_GT(two["bytes_received"], one["bytes_received"]);
  Connect()->Get(kCluster);
  EXPECT_EQ(Traffic()["tls_sessions"], 2);
}

TEST_F(HttpsServerTest, MakesEveryHandshakeAsDearAsAsked) {
  constexpr std::chrono::milliseconds cost{60};
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    Set("handshake_ms", cost.count());
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(Connect()->Get(kCluster));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, cost);
}

TEST_F(HttpsServerTest, LosesAnswersAsAsked) {
  AddFault({{"path", kCluster}, {"drop_before", true}});
  AddFault({{"path", kCluster}, {"nth", 2}, {"drop_after", true}});
  AddFault({{"path", kCluster}, {"nth", 3}, {"truncated", true}});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(Connect()->Get(kCluster)) << i;
  EXPECT_TRUE(Connect()->Get(kCluster));
  EXPECT_EQ(Log().size(), 4U);
}

TEST_F(HttpsServerTest, SilenceLastsUntilTheClientGivesUp) {
  AddFault({{"never_answer", true}});
  const auto client = Connect();
  client->set_read_timeout(0, 100'000);
  EXPECT_FALSE(client->Get(kCluster));
  EXPECT_TRUE(Connect()->Get(kCluster));
}

TEST_F(HttpsServerTest, PassesStatusHeadersAndBodies) {
  const auto client = Connect();
  const auto made = client->Post("/api/storage/volumes?return_timeout=15",
                                 R"({"svm":{"name":"svm1"},"name":"v",
                                     "aggregates":[{"name":"aggr1"}]})",
                                 "application/json");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, 201);
  const auto location = made->get_header_value("Location");
  EXPECT_EQ(client->Get(location.c_str())->status, 200);
  EXPECT_EQ(client->Delete(location.c_str())->status, 202);
  AddFault({{"status", 429}, {"code", 262160}, {"retry_after", 3}});
  const auto refused = client->Get(kCluster);
  EXPECT_EQ(refused->status, 429);
  EXPECT_EQ(refused->get_header_value("Retry-After"), "3");
}

TEST_F(HttpsServerTest, EndsAtOnceWithIdleConnections) {
  const auto idle = Connect();
  idle->Get(kCluster);
  const auto begin = std::chrono::steady_clock::now();
  {
    const HttpsServer other(&sim_.array(), &mutex_, identity_, {Endpoint::Parse("127.0.0.1:0")});
    httplib::SSLClient client("127.0.0.1", other.endpoints().front().port);
    client.enable_server_certificate_verification(false);
    client.set_keep_alive(true);
    EXPECT_TRUE(client.Get(kCluster));
  }
  // The keep-alive time is a minute.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST(EndpointTest, IsReadAndWritten) {
  EXPECT_EQ(Endpoint::Parse("127.0.0.1:443").port, 443);
  EXPECT_EQ(Endpoint::Parse("[::1]:0").address, "::1");
  EXPECT_EQ(Endpoint::Parse("[::1]:80").Text(), "[::1]:80");
  EXPECT_THROW(Endpoint::Parse("localhost"), std::invalid_argument);
  EXPECT_THROW(Endpoint::Parse("localhost:"), std::invalid_argument);
}

}  // namespace
}  // namespace ontapnvme::sim
