// SPDX-License-Identifier: AGPL-3.0-or-later
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

class ControlTest : public SimTest {
 protected:
  json Orphans() { return sim_.Ctl({{"cmd", "orphans"}})["orphans"]; }
};

TEST_F(ControlTest, RefusesWhatItDoesNotKnow) {
  for (const json& command :
       {json{{"cmd", "dance"}}, json::object(), json::array(), json{{"cmd", "set"}, {"mood", 1}},
        json{{"cmd", "set"}, {"lif", {{"name", "x"}, {"state", "up"}}}},
        json{{"cmd", "set"}, {"permissions", {{"nobody", {"x"}}}}},
        json{{"cmd", "read"}, {"volume", "x"}}}) {
    const json reply = sim_.Ctl(command);
    EXPECT_FALSE(reply["ok"].get<bool>()) << command.dump();
    EXPECT_FALSE(reply["error"].get<std::string>().empty());
  }
}

TEST_F(ControlTest, ReadsAndWritesBytes) {
  MakeVolume("v");
  const std::string ns = MakeNamespace("v", "n");
  Ctl({{"cmd", "write"}, {"path", "/vol/v/n"}, {"offset", 4094}, {"hex", "00ff41"}});
  EXPECT_EQ(sim_.Ctl({{"cmd", "read"}, {"uuid", ns}, {"offset", 4093}, {"length", 5}})["hex"],
            "0000ff4100");
  Ctl({{"cmd", "write"}, {"volume", "v"}, {"text", "abc"}});
  EXPECT_EQ(sim_.Ctl({{"cmd", "read"}, {"volume", "v"}, {"length", 3}})["hex"], "616263");
}

TEST_F(ControlTest, OrphansAreWhatACrashLeaves) {
  EXPECT_EQ(Orphans(), json::array());
  MakeVolume("vm_100_disk_0");
  EXPECT_EQ(Orphans(), (json{"volume without namespace: vm_100_disk_0",
                             "volume outside its group: vm_100_disk_0"}));
  const std::string ns = MakeNamespace("vm_100_disk_0");
  MakeSubsystem("s");
  const json group = {
      {"svm", {{"name", "svm1"}}},
      {"name", "g"},
      {"volumes", {{{"name", "vm_100_disk_0"}, {"provisioning_options", {{"action", "add"}}}}}}};
  Made("/api/application/consistency-groups?return_timeout=15", group);
  EXPECT_EQ(Orphans(), json{"namespace without map: /vol/vm_100_disk_0/vm_100_disk_0"});
  Map("s", ns);
  EXPECT_EQ(Orphans(), json::array());
}

TEST_F(ControlTest, StateShowsEverything) {
  MakeVolume("v");
  MakeNamespace("v");
  const json state = sim_.Ctl({{"cmd", "state"}})["state"];
  EXPECT_EQ(state["volumes"].size(), 3U);
  EXPECT_EQ(state["namespaces"].size(), 1U);
  EXPECT_TRUE(state["volumes"][2].contains("encryption"));
  EXPECT_EQ(state["group_snapshots"], json::array());
}

TEST_F(ControlTest, AgesWhatIsThere) {
  MakeVolume("v");
  MakeNamespace("v");
  const auto& volume = *sim_.world().FindVolume(sim_.world().FindSvm("svm1")->uuid, "v");
  const auto before = volume.create_time;
  Ctl({{"cmd", "age"}, {"seconds", 4200}});
  EXPECT_EQ(before - volume.create_time, std::chrono::seconds(4200));
  EXPECT_EQ(sim_.world().Now() - sim_.world().NamespacesOf(volume.uuid).front()->create_time,
            std::chrono::seconds(4200));
}

TEST_F(ControlTest, AdminAppliesItsJobsAtOnce) {
  const json body = {
      {"svm", {{"name", "svm1"}}}, {"name", "v"}, {"aggregates", {{{"name", "aggr1"}}}}};
  const json reply = sim_.Ctl(
      {{"cmd", "admin"}, {"method", "POST"}, {"target", "/api/storage/volumes"}, {"body", body}});
  EXPECT_EQ(reply["status"], 202);
  EXPECT_NE(sim_.world().FindVolume(sim_.world().FindSvm("svm1")->uuid, "v"), nullptr);
}

TEST_F(ControlTest, LatencyIsAddedToEveryAnswer) {
  Set("latency_ms", 20);
  Request request;
  request.target = "/api/cluster";
  EXPECT_EQ(sim_.array().Handle(request).delay.count(), 20);
}

}  // namespace
}  // namespace ontapnvme::sim
