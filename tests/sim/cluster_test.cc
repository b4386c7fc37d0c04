// SPDX-License-Identifier: AGPL-3.0-or-later
// What surrounds the storage objects: aggregates, SVMs, LIFs, the NVMe service and policies.
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

class ClusterTest : public SimTest {};

TEST_F(ClusterTest, AggregatesTellSpaceAndKind) {
  MakeVolume("thick", {{"guarantee", {{"type", "volume"}}}, {"size", 10 * kGiB}});
  const json before = Get("/api/storage/aggregates?name=aggr1&fields=space.block_storage,"
                          "data_encryption,cloud_storage.stores")
                          .Records()
                          .at(0);
  EXPECT_EQ(before["space"]["block_storage"]["size"], 1024 * kGiB);
  EXPECT_EQ(before["space"]["block_storage"]["used"], 12 * kGiB);  // with two root volumes
  EXPECT_EQ(before["data_encryption"]["software_encryption_enabled"], false);
  EXPECT_EQ(before["cloud_storage"]["stores"].size(), 1U);
  Set("free_space", {{"aggr1", 5 * kGiB}});
  const json after = Get("/api/svm/svms?name=svm1&fields=aggregates").Records().at(0);
  EXPECT_EQ(after["aggregates"][0]["available_size"], 5 * kGiB);
  EXPECT_EQ(Call("POST", "/api/storage/volumes",
                 R"({"svm":{"name":"svm1"},"name":"v","aggregates":[{"name":"aggr1"}],
                     "size":6442450944})")
                .code,
            1245212);
}

TEST_F(ClusterTest, AnSvmSaysWhetherItRuns) {
  const char* target = "/api/svm/svms?name=svm1&fields=state";
  EXPECT_EQ(Get(target).Records().at(0)["state"], "running");
  Set("svm_state", {{"svm1", "stopped"}});
  EXPECT_EQ(Get(target).Records().at(0)["state"], "stopped");
}

TEST_F(ClusterTest, FreeSpaceOfAnSvmIsToldSince9121) {
  Set("release", "9.11.1");
  EXPECT_EQ(Get("/api/svm/svms?fields=aggregates.available_size").code, 262197);
  Set("release", "9.12.1");
  EXPECT_EQ(Get("/api/svm/svms?fields=aggregates.available_size").status, 200);
}

TEST_F(ClusterTest, DataLifsAreFoundByServiceAndCanGoDown) {
  const std::string target =
      "/api/network/ip/interfaces?svm.name=svm1&services=data_nvme_tcp"
      "&fields=ip.address,state,enabled,location.home_node.name";
  json lifs = Get(target).Records();
  ASSERT_EQ(lifs.size(), 2U);
  EXPECT_EQ(lifs[0]["ip"]["address"], "127.0.0.1");
  EXPECT_NE(lifs[0]["location"]["home_node"], lifs[1]["location"]["home_node"]);
  Set("lif", {{"name", "127.0.0.2"}, {"state", "down"}});
  EXPECT_EQ(Get(target + "&state=down").Records().at(0)["ip"]["address"], "127.0.0.2");
  const json nvme = Get("/api/protocols/nvme/interfaces?svm.name=svm1&fields=*").Records();
  ASSERT_EQ(nvme.size(), 2U);
  EXPECT_EQ(nvme[0]["transport_protocols"], json::array({"nvme_tcp"}));
}

TEST_F(ClusterTest, TheNvmeServiceIsThereOnceAndGoesLast) {
  const std::string all = "/api/protocols/nvme/services";
  const std::string svm1 = Get("/api/svm/svms?name=svm1").Records()[0]["uuid"];
  EXPECT_EQ(Get(all + "/" + svm1).body["enabled"], true);
  EXPECT_EQ(Call("POST", all, R"({"svm":{"name":"svm1"}})").code, 72089650);
  EXPECT_EQ(Call("PATCH", all + "/" + svm1, R"({"enabled":false})").status, 200);
  EXPECT_EQ(Get(all + "/" + svm1).body["enabled"], false);
  MakeSubsystem("s");
  EXPECT_EQ(Call("DELETE", all + "/" + svm1).code, 72089653);
  const std::string svm2 = Get("/api/svm/svms?name=svm2").Records()[0]["uuid"];
  EXPECT_EQ(Call("DELETE", all + "/" + svm2).status, 200);
  EXPECT_EQ(Get(all + "/" + svm2).code, 72089651);
  EXPECT_EQ(Call("POST", "/api/protocols/nvme/subsystems",
                 R"({"svm":{"name":"svm2"},"name":"s","os_type":"linux"})")
                .code,
            72090029);
  Set("nvme_licence", false);
  EXPECT_EQ(Call("POST", all, R"({"svm":{"name":"svm2"}})").code, 1115127);
}

TEST_F(ClusterTest, QosPoliciesAreCheckedAndCounted) {
  const std::string all = "/api/storage/qos/policies";
  const auto body = [](const json& changes) {
    json policy = {
        {"svm", {{"name", "svm1"}}}, {"name", "p"}, {"fixed", {{"max_throughput_iops", 100}}}};
    return Merged(policy, changes).dump();
  };
  ExpectRefusals({
      {"taken", "POST", all, body({{"name", "gold"}}), 409, 8454154},
      {"taken by the other kind", "POST", all, body({{"name", "adaptive1"}}), 409, 8454278},
      {"both kinds", "POST", all, body({{"adaptive", {{"peak_iops", 1}}}}), 400, 262186},
      {"minimum above maximum", "POST", all, body({{"fixed", {{"min_throughput_iops", 200}}}}), 400,
       8454194},
      {"ratio", "POST", all, body({{"fixed", {{"max_throughput_mbps", 1000}}}}), 400, 8454260},
  });
  MakeVolume("v", {{"qos", {{"policy", {{"name", "gold"}}}}}});
  const json gold = Get(all + "?name=gold&fields=object_count,fixed").Records().at(0);
  EXPECT_EQ(gold["object_count"], 1);
  const std::string target = all + "/" + gold["uuid"].get<std::string>();
  EXPECT_EQ(Call("PATCH", target, R"({"adaptive":{"peak_iops":1}})").code, 8454327);
  EXPECT_EQ(Call("DELETE", target).status, 200);
  EXPECT_FALSE(Get("/api/storage/volumes?name=v&fields=qos").Records()[0].contains("qos"));
}

TEST_F(ClusterTest, SnapshotPoliciesOfTheClusterAreEverybodys) {
  const json policies =
      Call("GET", "/api/storage/snapshot-policies?fields=scope", "", "vsadmin").Records();
  EXPECT_EQ(policies.size(), 4U);
  EXPECT_EQ(policies[0]["scope"], "cluster");
}

TEST(InitialStateTest, IsOverriddenByKeyAndCheckedForSense) {
  const auto clock = [] { return Time(); };
  MemoryArray sim(clock, {{"cluster", "other"},
                          {"nodes", {"n1"}},
                          {"portals", {"192.0.2.1", "2001:db8::1"}},
                          {"aggregates", {{{"name", "a"}, {"node", "n1"}, {"size", 5 * kGiB}}}},
                          {"svms",
                           {{{"name", "svm1"},
                             {"nvme", true},
                             {"has_portals", true},
                             {"aggregates", {"a"}},
                             {"storage_limit", 4 * kGiB}}}}});
  EXPECT_EQ(sim.world().cluster_name, "other");
  EXPECT_EQ(sim.world().lifs.size(), 3U);
  EXPECT_EQ(sim.world().svms.size(), 1U);
  for (const json& config : {json{{"clusters", "x"}}, json{{"snapshot_policies", {"none"}}},
                             json{{"nodes", json::array()}},
                             json{{"svms", {{{"name", "s"}, {"aggregates", {"nowhere"}}}}}}}) {
    SCOPED_TRACE(config.dump());
    EXPECT_THROW(MemoryArray(clock, config), std::invalid_argument);
  }
}

}  // namespace
}  // namespace ontapnvme::sim
