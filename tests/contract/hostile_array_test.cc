// SPDX-License-Identifier: AGPL-3.0-or-later
// The client and its resources above an array that means ill, over real HTTPS: no answer crashes,
// hangs, is repeated in a log or sends a request to another host.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/curl_transport.h"
#include "ontap/flexvol.h"
#include "ontap/nvme_subsystem.h"
#include "ontap/rest_client.h"
#include "ontap/snapshot.h"
#include "ontap/svm.h"
#include "unit/http/tls_server.h"

namespace ontapnvme::contract {
namespace {

using namespace ontapnvme::ontap;
using http::testing::Certificate;
using http::testing::HttpAnswer;
using http::testing::MakeCertificate;
using http::testing::PemFile;
using http::testing::TlsServer;
using ::testing::HasSubstr;
using ::testing::Not;

// Stands in every hostile answer; must stand in no error and no log.
const std::string kRaw = "R4WT3XT";
const std::string kUuid = "0000000a-0000-0000-0000-000000000000";

class HostileArray : public ::testing::Test {
 protected:
  void Serve(TlsServer::Handler handler) {
    server_ = std::make_unique<TlsServer>(leaf_, std::move(handler));
    http::CurlOptions options;
    options.host = "127.0.0.1";
    options.port = server_->port();
    options.username = "admin";
    options.password = Secret("s3cret");
    options.ca_file = ca_file_.path();
    transport_ = std::make_unique<http::CurlTransport>(options);
    rest_ = std::make_unique<RestClient>(*transport_, log_, [] { return 0.0; });
  }
  void Serve(int status, std::string body) {
    Serve([answer = HttpAnswer(status, body)](const std::string&) {
      return http::testing::Reply{.bytes = answer};
    });
  }
  static Deadline Budget() { return Deadline(SystemClock(), std::chrono::seconds(60)); }
  Result<std::vector<FlexVol>> List() { return FlexVols(*rest_, "svm1").List("vm_*", Budget()); }

  void ExpectQuiet(const std::string& line) {
    EXPECT_THAT(line, Not(HasSubstr("s3cret")));
    for (const LogRecord& record : log_.Take()) {
      EXPECT_THAT(record.text, Not(HasSubstr(kRaw)));
      EXPECT_THAT(record.text, Not(HasSubstr("s3cret")));
    }
    EXPECT_LT(line.size(), 2000U);
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
  }

  Certificate ca_ = MakeCertificate({.common_name = "test ca", .is_ca = true});
  PemFile ca_file_{ca_.x509.get()};
  Certificate leaf_ = MakeCertificate({}, &ca_);
  std::unique_ptr<TlsServer> server_;
  Log log_;
  std::unique_ptr<http::CurlTransport> transport_;
  std::unique_ptr<RestClient> rest_;
};

std::string Volume(const std::string& fields) {
  return R"({"records":[{"uuid":")" + kUuid + R"(","name":"v","state":"online")" + fields + "}]}";
}

struct Body {
  const char* what;
  std::string text;
};
std::vector<Body> UnreadableBodies() {
  const std::string digits(300, '9');
  return {
      {"no JSON", "<html>" + kRaw + "</html>"},
      {"nothing", ""},
      {"a list", "[\"" + kRaw + "\"]"},
      {"cut", R"({"records":[{"name":")" + kRaw},
      {"something behind", R"({"records":[]})" + kRaw},
      {"a doubled key", R"({"records":[],"records":[{"name":")" + kRaw + R"("}]})"},
      {"a doubled key in a record", Volume(R"(,"name":")" + kRaw + "\"")},
      {"no UTF-8", Volume(",\"comment\":\"" + kRaw + "\xff\xfe\"")},
      {"a surrogate alone", Volume(R"(,"comment":")" + kRaw + R"(\ud800")")},
      {"a raw control character", Volume(",\"comment\":\"" + kRaw + "\x1b\"")},
      {"a raw NUL", Volume(",\"comment\":\"" + kRaw + std::string("\0\"", 2))},
      {"an escaped NUL", Volume(R"(,"comment":")" + kRaw + R"(\u0000")")},
      {"a size of 300 digits", Volume(",\"size\":" + digits)},
      {"a size beyond any number", Volume(",\"size\":1e999")},
      {"a negative size", Volume(",\"size\":-4096")},
      {"half a byte", Volume(",\"size\":0.5")},
      {"a size in words", Volume(R"(,"size":")" + kRaw + "\"")},
      {"a name that is a number", R"({"records":[{"uuid":")" + kUuid + R"(","name":7}]})"},
      {"a name that is missing", R"({"records":[{"uuid":")" + kUuid + "\"}]}"},
      {"a UUID that is none", R"({"records":[{"uuid":")" + kRaw + R"(","name":"v"}]})"},
      {"a UUID that is missing", R"({"records":[{"name":"v"}]})"},
      {"a time that is none", Volume(R"(,"create_time":")" + kRaw + "\"")},
      {"records that are one", R"({"records":{"name":")" + kRaw + "\"}}"},
      {"a record that is a text", R"({"records":[")" + kRaw + "\"]}"},
      {"fewer records than promised", R"({"records":[],"num_records":1})"},
      {"-1 records", R"({"records":[],"num_records":-1})"},
      {"deep", R"({"records":)" + std::string(200000, '[') + std::string(200000, ']') + "}"},
      {"deep and open", std::string(1000000, '{')},
      {"deep objects",
       [] {
         std::string text;
         for (int i = 0; i < 100000; ++i) text += R"({"a":)";
         return text;
       }()},
  };
}

TEST_F(HostileArray, WhatCannotBeReadIsAnErrorThatRepeatsNothing) {
  for (const Body& body : UnreadableBodies()) {
    SCOPED_TRACE(body.what);
    Serve(200, body.text);
    const auto list = List();
    ASSERT_TRUE(FailedWith(list, ErrorCode::kInternal));
    EXPECT_THAT(list.error().Line(), Not(HasSubstr(kRaw)));
    EXPECT_EQ(server_->requests().size(), 1U);  // asking again would not help
    ExpectQuiet(list.error().Line());
  }
}

TEST_F(HostileArray, WhatTheArraySaysOfAnErrorIsOneLineAndHasAnEnd) {
  Serve(400,
        R"({"error":{"code":"1","message":"no \u0000\u001b[2J\r\n\u009b31m\u202e\ud83d\udcbe )" +
            std::string(100000, 'x') + R"("}})");
  const auto list = List();
  ASSERT_FALSE(list.ok());
  ExpectQuiet(list.error().Line());
  for (const char* command : {"\xc2\x9b", "\xe2\x80\xae"}) {
    EXPECT_THAT(list.error().Line(), Not(HasSubstr(command)));
  }
}

TEST_F(HostileArray, AnErrorMayHaveAnyForm) {
  for (const std::string body :
       {"[]", "{}", R"({"error":[]})", R"({"error":{"code":[],"message":{}}})",
        R"({"error":{"code":-1,"message":null}})",
        R"({"error":{"code":"99999999999999999999999999"}})", "<html>R4WT3XT</html>", "\xff"}) {
    for (const int status : {400, 403, 404, 500, 599}) {
      Serve(status, body);
      const auto list = List();
      ASSERT_FALSE(list.ok()) << body;
      EXPECT_THAT(list.error().Line(), Not(HasSubstr(kRaw)));
      ExpectQuiet(list.error().Line());
    }
  }
}

TEST_F(HostileArray, TheNextPageIsOnThisArray) {
  const auto other_leaf = MakeCertificate({}, &ca_);
  const TlsServer other(other_leaf, [](const std::string&) {
    return http::testing::Reply{.bytes = HttpAnswer(200, R"({"records":[]})")};
  });
  const std::string elsewhere = "127.0.0.1:" + std::to_string(other.port());
  for (const std::string& link :
       {"https://" + elsewhere + "/api/x", "http://" + elsewhere + "/api/x",
        "//" + elsewhere + "/api/x", "https://admin:s3cret@" + elsewhere + "/api/x",
        "@" + elsewhere + "/api/x", ":1@" + elsewhere + "/api/x", "." + elsewhere + "/api/x",
        "\\\\\\\\" + elsewhere + "\\\\api\\\\x", std::string("file:///etc/passwd"),
        std::string("/etc/passwd"), "/api/x HTTP/1.1\\r\\nHost: " + elsewhere,
        "/api/x\\u0000" + elsewhere, "/api\\u002f\\u0009" + elsewhere, std::string(" /api/x"),
        std::string("api/x")}) {
    Serve(200, R"({"records":[],"_links":{"next":{"href":")" + link + R"("}}})");
    const auto list = List();
    ASSERT_TRUE(FailedWith(list, ErrorCode::kInternal)) << link;
    EXPECT_EQ(server_->requests().size(), 1U) << link;
    ExpectQuiet(list.error().Line());
  }
  // These are paths of this array, whatever they look like.
  for (const std::string& link : {"/api/@" + elsewhere + "/", "/api/..//" + elsewhere + "/x",
                                  "/api/x#@" + elsewhere, "/api//" + elsewhere + "?x=https://y"}) {
    Serve([&](const std::string& request) {
      const bool is_first = request.starts_with("GET /api/storage/");
      const std::string next = is_first ? R"(,"_links":{"next":{"href":")" + link + R"("}})" : "";
      return http::testing::Reply{.bytes = HttpAnswer(200, R"({"records":[])" + next + "}")};
    });
    EXPECT_TRUE(List().ok()) << link;
    EXPECT_EQ(server_->requests().size(), 2U) << link;
  }
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(HostileArray, PagesWithoutEndAreLeft) {
  std::atomic<int> page = 0;
  Serve([&](const std::string&) {
    return http::testing::Reply{
        .bytes = HttpAnswer(200, R"({"records":[],"_links":{"next":{"href":"/api/x?page=)" +
                                     std::to_string(++page) + R"("}}})")};
  });
  const auto list = List();
  ASSERT_TRUE(FailedWith(list, ErrorCode::kInternal));
  EXPECT_EQ(page, 1000);
  page = 0;
  Serve([&](const std::string&) {  // in a circle of three
    return http::testing::Reply{
        .bytes = HttpAnswer(200, R"({"records":[],"_links":{"next":{"href":"/api/x?page=)" +
                                     std::to_string(++page % 3) + R"("}}})")};
  });
  ASSERT_TRUE(FailedWith(List(), ErrorCode::kInternal));
  EXPECT_EQ(page, 4);
}

TEST_F(HostileArray, AJobLeadsToNoOtherPath) {
  Serve([](const std::string& request) {
    const bool is_job = request.starts_with("GET ");
    return http::testing::Reply{
        .bytes = is_job ? HttpAnswer(200, R"({"state":"failure","message":"no"})")
                        : HttpAnswer(202, R"({"job":{"uuid":"../../x?y=\u001b#\r\n"}})")};
  });
  const Status made = Snapshots(*rest_, "svm1").Create(*Uuid::Parse(kUuid), "s", "", Budget());
  ASSERT_FALSE(made.ok());
  ASSERT_EQ(server_->requests().size(), 2U);
  EXPECT_THAT(server_->requests()[1],
              ::testing::StartsWith("GET /api/cluster/jobs/..%2F..%2Fx%3Fy%3D%1B%23%0D%0A?"));
  ExpectQuiet(made.error().Line());
}

// The secrets of the fabric go to the array, and into no error about it.
TEST_F(HostileArray, ARefusedHostTellsNoSecret) {
  HostSecurity security;
  security.dhchap_host_secret = Secret("DHHC-1:00:s3cretHost:");
  security.dhchap_controller_secret = Secret("DHHC-1:00:s3cretCtrl:");
  security.tls_psk = Secret("NVMeTLSkey-1:01:s3cretPsk:");
  for (const int status : {202, 400, 401, 500}) {
    Serve(status, R"({"error":{"code":"72089716","message":"bad"},"job":{"uuid":7}})");
    const Status added = NvmeSubsystems(*rest_, "svm1")
                             .AddHost(*Uuid::Parse(kUuid), "nqn.2014-08.x:y", security, Budget());
    ASSERT_FALSE(added.ok()) << status;
    EXPECT_THAT(server_->requests().front(), HasSubstr("s3cretHost"));
    ExpectQuiet(added.error().Line());
  }
}

}  // namespace
}  // namespace ontapnvme::contract
