// SPDX-License-Identifier: AGPL-3.0-or-later
// LUNs, and how they become namespaces.
#include "sim_fixture.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

class LunTest : public SimTest {
 protected:
  void SetUp() override {
    MakeVolume("v");
    const json body = {{"svm", {{"name", "svm1"}}},
                       {"name", "/vol/v/l"},
                       {"os_type", "linux"},
                       {"comment", "of the old host"},
                       {"space", {{"size", 64 * kMiB}}}};
    ASSERT_EQ(Call("POST", "/api/storage/luns", body.dump()).status, 201);
    sim_.store().Write(lun().uuid, 0, "mine");
  }
  Lun& lun() { return *sim_.world().luns.begin(); }
  Answer Convert(const json& changes = nullptr) {
    const json body = {{"svm", {{"name", "svm1"}}}, {"convert", {{"lun", {{"uuid", lun().uuid}}}}}};
    return Call("POST", "/api/storage/namespaces", Merged(body, changes).dump());
  }
};

TEST_F(LunTest, BecomesANamespaceInPlace) {
  EXPECT_EQ(
      Get("/api/storage/luns?location.volume.name=v&fields=status.mapped").Records()[0]["name"],
      "/vol/v/l");
  ASSERT_EQ(Convert().status, 201);
  EXPECT_EQ(Get("/api/storage/luns").Records().size(), 0U);
  const json ns = Get("/api/storage/namespaces?fields=**").Records()[0];
  EXPECT_EQ(ns["name"], "/vol/v/l");
  EXPECT_EQ(ns["space"]["size"], 64 * kMiB);
  EXPECT_FALSE(ns.contains("comment"));
  EXPECT_EQ(sim_.store().Read(ns["uuid"], 0, 4), "mine");
}

TEST_F(LunTest, StaysWhereItCannotBeConverted) {
  lun().is_mapped = true;
  EXPECT_EQ(Convert().status, 409);
  lun().is_mapped = false;
  lun().has_streams = true;
  EXPECT_EQ(Convert().status, 409);
  lun().has_streams = false;
  EXPECT_EQ(Convert({{"os_type", "linux"}}).status, 400);
  EXPECT_EQ(Convert({{"convert", {{"lun", {{"uuid", "none"}}}}}}).status, 404);
  EXPECT_EQ(Get("/api/storage/luns").Records().size(), 1U);
}

TEST_F(LunTest, CommentGoesAlongWhereTheArrayKeepsIt) {
  sim_.world().settings.switches.Set("lun_comment", "kept");
  ASSERT_EQ(Convert().status, 201);
  EXPECT_EQ(Get("/api/storage/namespaces?fields=comment").Records()[0]["comment"],
            "of the old host");
}

}  // namespace
}  // namespace ontapnvme::sim
