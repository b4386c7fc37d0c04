// SPDX-License-Identifier: AGPL-3.0-or-later
// A simulated array, a clock that a test moves, and short forms for the calls tests make.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "memory_array.h"

namespace ontapnvme::sim {

inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
inline constexpr std::uint64_t kGiB = std::uint64_t{1} << 30U;

struct Answer {
  int status = 0;
  int code = 0;  // of the error; 0: none
  nlohmann::json body;
  Headers headers;

  std::string Location() const { return HeaderValue(headers, "Location"); }
  // The last segment of Location: the uuid of what was created.
  std::string Created() const {
    const std::string location = Location();
    return location.substr(location.rfind('/') + 1);
  }
  nlohmann::json Records() const { return body.value("records", nlohmann::json::array()); }
};

// One row of a table of refusals.
struct Refusal {
  const char* name;
  const char* method;
  std::string target;
  std::string body;  // JSON text, or empty
  int status;
  int code;
};

// `base` with what `changes` says; a null removes a member.
inline nlohmann::json Merged(nlohmann::json base, const nlohmann::json& changes) {
  if (!changes.is_null()) base.merge_patch(changes);
  return base;
}

class SimTest : public ::testing::Test {
 protected:
  Answer Call(const std::string& method, const std::string& target, const std::string& body = "",
              const std::string& account = "admin") {
    Request request;
    request.method = method;
    request.target = target;
    request.body = body;
    request.headers.emplace_back("Authorization", BasicAuthorization(account, "secret"));
    return ToAnswer(sim_.array().Handle(request));
  }
  Answer Get(const std::string& target) { return Call("GET", target); }

  static Answer ToAnswer(const Outcome& outcome) {
    Answer answer;
    answer.status = outcome.status;
    answer.headers = outcome.headers;
    answer.body = nlohmann::json::parse(outcome.body, nullptr, false);
    if (answer.body.is_object() && answer.body.contains("error")) {
      answer.code = std::stoi(answer.body["error"]["code"].get<std::string>());
    }
    return answer;
  }

  void Ctl(const nlohmann::json& command) {
    const nlohmann::json reply = sim_.Ctl(command);
    ASSERT_TRUE(reply.value("ok", false)) << reply.dump();
  }
  void Set(const std::string& key, const nlohmann::json& value) {
    Ctl({{"cmd", "set"}, {key, value}});
  }

  // A thin volume of 1 GiB on aggr1 without reserve; returns its uuid.
  std::string MakeVolume(const std::string& name, const nlohmann::json& extra = {}) {
    nlohmann::json body = {{"svm", {{"name", "svm1"}}},
                           {"name", name},
                           {"aggregates", {{{"name", "aggr1"}}}},
                           {"size", kGiB},
                           {"guarantee", {{"type", "none"}}},
                           {"snapshot_policy", {{"name", "none"}}},
                           {"space", {{"snapshot", {{"reserve_percent", 0}}}}}};
    body = Merged(std::move(body), extra);
    return Made("/api/storage/volumes?return_timeout=15", body);
  }
  // /vol/<volume>/<volume> of 64 MiB; returns its uuid.
  std::string MakeNamespace(const std::string& volume, const std::string& base = "") {
    return Made("/api/storage/namespaces",
                {{"svm", {{"name", "svm1"}}},
                 {"name", "/vol/" + volume + "/" + (base.empty() ? volume : base)},
                 {"os_type", "linux"},
                 {"space", {{"size", 64 * kMiB}}}});
  }
  std::string MakeSubsystem(const std::string& name) {
    return Made("/api/protocols/nvme/subsystems",
                {{"svm", {{"name", "svm1"}}}, {"name", name}, {"os_type", "linux"}});
  }
  std::string MakeSnapshot(const std::string& volume_uuid, const std::string& name) {
    return Made("/api/storage/volumes/" + volume_uuid + "/snapshots?return_timeout=15",
                {{"name", name}});
  }
  void Map(const std::string& subsystem, const std::string& namespace_uuid) {
    const Answer answer = Call("POST", "/api/protocols/nvme/subsystem-maps",
                               nlohmann::json{{"svm", {{"name", "svm1"}}},
                                              {"subsystem", {{"name", subsystem}}},
                                              {"namespace", {{"uuid", namespace_uuid}}}}
                                   .dump());
    ASSERT_EQ(answer.status, 201) << answer.body.dump();
  }
  std::string Made(const std::string& target, const nlohmann::json& body) {
    const Answer answer = Call("POST", target, body.dump());
    EXPECT_EQ(answer.status, 201) << answer.body.dump();
    return answer.Created();
  }

  void ExpectRefusals(const std::vector<Refusal>& table) {
    for (const Refusal& row : table) {
      SCOPED_TRACE(row.name);
      const Answer answer = Call(row.method, row.target, row.body);
      EXPECT_EQ(answer.status, row.status) << answer.body.dump();
      EXPECT_EQ(answer.code, row.code) << answer.body.dump();
    }
  }

  void Write(const std::string& namespace_uuid, const std::string& text) {
    sim_.store().Write(namespace_uuid, 0, text);
  }
  std::string Read(const std::string& namespace_uuid, std::size_t length) {
    return sim_.store().Read(namespace_uuid, 0, length);
  }

  Time now_ = Time(std::chrono::seconds(1'700'000'000));
  std::chrono::seconds tick_{0};  // passes with each look at the clock
  MemoryArray sim_{[this] { return now_ += tick_; }};
};

}  // namespace ontapnvme::sim
