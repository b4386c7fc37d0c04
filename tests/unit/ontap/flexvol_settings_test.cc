// SPDX-License-Identifier: AGPL-3.0-or-later
#include "ontap/flexvol_settings.h"

#include "unit/ontap/rest_fixture.h"

namespace ontapnvme::ontap {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FlexVolSettingsTest : public RestFixture {
 protected:
  Result<std::vector<RefusedSetting>> Apply(const FlexVolSettings& settings) {
    return ApplySettings(rest_, ToUuid(kUuidA), settings, Budget());
  }
  std::vector<json> Bodies() {
    std::vector<json> bodies;
    for (const auto& request : transport_.requests()) {
      bodies.push_back(request.body.empty() ? json() : json::parse(request.body));
    }
    return bodies;
  }
  static FlexVolSettings Qos(const std::string& policy) {
    FlexVolSettings settings;
    settings.qos_policy = policy;
    return settings;
  }
  static FlexVolSettings Autosize(ByteCount maximum) {
    FlexVolSettings settings;
    settings.autosize = AutosizeSetting{maximum};
    return settings;
  }
};

TEST_F(FlexVolSettingsTest, OneConcernARequest) {
  const auto nothing = Apply({});
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(transport_.requests().empty());
  FlexVolSettings settings;
  settings.snapshot_policy = "none";
  settings.is_thick = true;
  settings.is_fully_reserved = true;
  settings.autosize = AutosizeSetting{};
  settings.tiering_policy = "auto";
  settings.qos_policy = "gold";
  settings.snapshot_reserve_percent = 5;
  settings.is_snapshot_autodelete_on = false;
  for (int i = 0; i < 8; ++i) transport_.Answer(200, "{}");
  const auto applied = Apply(settings);
  ASSERT_TRUE(applied.ok()) << applied.error().Line();
  EXPECT_THAT(*applied, IsEmpty());
  EXPECT_THAT(Bodies(),
              ElementsAre(json::parse(R"({"snapshot_policy":{"name":"none"}})"),
                          json::parse(R"({"guarantee":{"type":"volume"}})"),
                          json::parse(R"({"space":{"fractional_reserve":100}})"),
                          json::parse(R"({"autosize":{"mode":"off"}})"),
                          json::parse(R"({"tiering":{"policy":"auto"}})"),
                          json::parse(R"({"qos":{"policy":{"name":"gold"}}})"),
                          json::parse(R"({"space":{"snapshot":{"reserve_percent":5}}})"),
                          json::parse(R"({"space":{"snapshot":{"autodelete_enabled":false}}})")));
}

TEST_F(FlexVolSettingsTest, AutodeleteHasAnotherSpellingFrom9131) {
  rest_.SetRelease({9, 13, 1});
  FlexVolSettings settings;
  settings.is_snapshot_autodelete_on = true;
  settings.autodelete_spared_prefix = "pve_snap_";
  transport_.Answer(200, "{}");
  ASSERT_TRUE(Apply(settings).ok());
  EXPECT_EQ(LastBody(), json::parse(R"({"space":{"snapshot":{
      "autodelete":{"enabled":true,"defer_delete":"prefix","prefix":"pve_snap_"}}}})"));
}

TEST_F(FlexVolSettingsTest, WhatIsNotTakenIsReturnedAndTheRestIsSet) {
  for (const char* code : {"262179", "262196", "262197", "262203", "3", "99999999"}) {
    FlexVolSettings settings = Qos("gold");
    settings.tiering_policy = "auto";
    transport_.Refuse(400, code).Answer(200, "{}");
    const auto applied = Apply(settings);
    ASSERT_TRUE(applied.ok()) << code << " " << applied.error().Line();
    ASSERT_EQ(applied->size(), 1U) << code;
    EXPECT_EQ(applied->front().name, "tiering_policy");
    EXPECT_EQ(LastBody()["qos"]["policy"]["name"], "gold");
  }
}

TEST_F(FlexVolSettingsTest, WhatNamesSomethingMissingFails) {
  transport_.Refuse(400, "787144");
  FlexVolSettings settings;
  settings.tiering_policy = "auto";
  EXPECT_TRUE(FailedWith(Apply(settings), ErrorCode::kInvalidArgument));
  transport_.Refuse(403, "6");
  EXPECT_TRUE(FailedWith(Apply(Qos("gold")), ErrorCode::kPermissionDenied));
}

constexpr const char* kWithPolicy = R"({"qos":{"policy":{"name":"gold"}}})";

TEST_F(FlexVolSettingsTest, AQosPolicyIsGoneWhenTheArraySaysSo) {
  transport_.Answer(200, "{}").Answer(200, "{}");
  const auto first = Apply(Qos(""));
  ASSERT_TRUE(first.ok());
  EXPECT_THAT(*first, IsEmpty());
  EXPECT_EQ(Bodies().front(), json::parse(R"({"qos":{"policy":{"name":"none"}}})"));
}

TEST_F(FlexVolSettingsTest, EachFormOfNoQosPolicyIsTried) {
  transport_.Refuse(400, "262247")
      .Answer(200, "{}")
      .Answer(200, kWithPolicy)
      .Answer(200, "{}")
      .Answer(200, "{}");
  const auto last = Apply(Qos(""));
  ASSERT_TRUE(last.ok()) << last.error().Line();
  EXPECT_THAT(*last, IsEmpty());
  const auto bodies = Bodies();
  ASSERT_EQ(bodies.size(), 5U);
  EXPECT_EQ(bodies[1], json::parse(R"({"qos":{"policy":{"name":""}}})"));
  EXPECT_EQ(bodies[3], json::parse(R"({"qos":{"policy":{"name":null}}})"));
}

TEST_F(FlexVolSettingsTest, AQosPolicyThatStaysIsSaid) {
  for (int i = 0; i < 3; ++i) transport_.Answer(200, "{}").Answer(200, kWithPolicy);
  const auto kept = Apply(Qos(""));
  ASSERT_TRUE(kept.ok());
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_THAT(kept->front().why.Line(), HasSubstr("the array keeps it"));
}

TEST_F(FlexVolSettingsTest, AutosizeAboveThePlatformStopsAtItsLimit) {
  const ByteCount wanted = GiB(400 * 1024);
  transport_.Refuse(400, "918521").Refuse(400, "918521").Answer(200, "{}");
  const auto applied = Apply(Autosize(wanted));
  ASSERT_TRUE(applied.ok());
  ASSERT_EQ(applied->size(), 1U) << "it is not what was asked for";
  EXPECT_EQ(applied->front().name, "autosize");
  const auto bodies = Bodies();
  EXPECT_EQ(bodies[1]["autosize"]["maximum"], GiB(300 * 1024).bytes());
  EXPECT_EQ(bodies[2]["autosize"]["maximum"], GiB(100 * 1024).bytes());
}

TEST_F(FlexVolSettingsTest, AutosizeThatCannotBeIsSaid) {
  transport_.Refuse(400, "918521").Refuse(400, "917831");
  const auto applied = Apply(Autosize(GiB(150 * 1024)));
  ASSERT_TRUE(applied.ok());
  ASSERT_EQ(applied->size(), 1U);
  EXPECT_EQ(applied->front().why.origin().array_code, 918521U);
}

TEST_F(FlexVolSettingsTest, ReadsWhatIsInForce) {
  transport_.Answer(200, R"({"state":"online","snapshot_policy":{"name":"default"},
      "guarantee":{"type":"volume"},"autosize":{"mode":"grow","maximum":1048576},
      "tiering":{"policy":"auto"},"space":{"fractional_reserve":100,
      "snapshot":{"reserve_percent":5}},"encryption":{"enabled":false}})");
  const auto read = ReadState(rest_, ToUuid(kUuidA), Budget());
  ASSERT_TRUE(read.ok() && *read);
  EXPECT_EQ((*read)->state, "online");
  EXPECT_EQ((*read)->is_encrypted, false);
  const auto& in_force = (*read)->settings;
  EXPECT_EQ(in_force.snapshot_policy, "default");
  EXPECT_EQ(in_force.is_thick, true);
  EXPECT_EQ(in_force.is_fully_reserved, true);
  EXPECT_EQ(in_force.autosize, AutosizeSetting{MiB(1)});
  EXPECT_EQ(in_force.tiering_policy, "auto");
  EXPECT_EQ(in_force.qos_policy, "") << "no policy is shown as none at all";
  EXPECT_EQ(in_force.snapshot_reserve_percent, 5U);

  FlexVolSettings wanted = Autosize(MiB(2));
  wanted.tiering_policy = "auto";
  wanted.snapshot_policy = "none";
  wanted.qos_policy = "";
  const auto missing = Missing(wanted, in_force);
  EXPECT_FALSE(missing.tiering_policy);
  EXPECT_FALSE(missing.qos_policy);
  EXPECT_EQ(missing.snapshot_policy, "none");
  EXPECT_EQ(missing.autosize, wanted.autosize);
}

TEST_F(FlexVolSettingsTest, WhatTheArrayDoesNotSayIsNotKnown) {
  transport_.Answer(200, "{}").Refuse(404, "4");
  const auto read = ReadState(rest_, ToUuid(kUuidA), Budget());
  ASSERT_TRUE(read.ok() && *read);
  EXPECT_FALSE((*read)->settings.autosize);
  EXPECT_FALSE((*read)->settings.is_thick);
  EXPECT_FALSE((*read)->is_encrypted);
  const auto gone = ReadState(rest_, ToUuid(kUuidA), Budget());
  ASSERT_TRUE(gone.ok());
  EXPECT_FALSE(*gone);
}

}  // namespace
}  // namespace ontapnvme::ontap
