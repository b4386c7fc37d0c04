// SPDX-License-Identifier: AGPL-3.0-or-later
#include "schema.h"

#include <gtest/gtest.h>

#include "api_error.h"
#include "body_check.h"
#include "selection.h"

namespace ontapnvme::sim {
namespace {

using nlohmann::json;

int CodeOf(const std::string& body, const Model& model, Write write, int release) {
  try {
    CheckBody(body, model, write, Release{release}, false);
  } catch (const ApiError& error) {
    return error.code();
  }
  return 0;
}

TEST(SchemaTest, RefusesAMalformedTable) {
  EXPECT_THROW(Model("x", "name str"), std::invalid_argument);
  EXPECT_THROW(Model("x", "name text c"), std::invalid_argument);
  EXPECT_THROW(Model("x", "name str q"), std::invalid_argument);
  EXPECT_THROW(Model("x", "name str c until=9"), std::invalid_argument);
}

TEST(SchemaTest, EveryTableIsReadable) {
  using ModelFunction = const Model& (*)();
  const ModelFunction all[] = {
      models::Volume,
      models::Snapshot,
      models::NvmeNamespace,
      models::NvmeSubsystem,
      models::NvmeInterface,
      models::NvmeSubsystemHost,
      models::NvmeService,
      models::NvmeSubsystemMap,
      models::IpInterface,
      models::NvmeSubsystemController,
      models::Svm,
      models::Aggregate,
      models::Cluster,
      models::Job,
      models::QosPolicy,
      models::SnapshotPolicy,
      models::ConsistencyGroup,
      models::ConsistencyGroupSnapshot,
      models::RecoveryQueueEntry,
  };
  for (const ModelFunction model : all) EXPECT_FALSE(model().fields().empty()) << model().name();
}

TEST(SchemaTest, ChecksBodiesByField) {
  struct Case {
    const char* name;
    const char* body;
    Write write;
    int release;
    int code;
  };
  const Case cases[] = {
      {"sound", R"({"name":"a","size":1,"guarantee":{"type":"none"}})", Write::kCreate, 10, 0},
      {"not JSON", "{", Write::kCreate, 16, code::kBadJson},
      {"not an object", "[]", Write::kCreate, 16, code::kBadJson},
      {"unknown", R"({"nme":"a"})", Write::kCreate, 16, code::kUnexpectedArgument},
      {"unknown below", R"({"guarantee":{"typ":"none"}})", Write::kCreate, 16,
       code::kUnexpectedArgument},
      {"too new", R"({"_tags":["a:b"]})", Write::kCreate, 12, code::kUnexpectedArgument},
      {"new enough", R"({"_tags":["a:b"]})", Write::kCreate, 13, 0},
      {"read-only", R"({"uuid":"1"})", Write::kCreate, 16, code::kFieldNotSettable},
      {"read-only in a patch", R"({"space":{"used":1}})", Write::kPatch, 16,
       code::kFieldNotSettable},
      {"create-only", R"({"aggregates":[{"name":"a"}]})", Write::kPatch, 16,
       code::kFieldNotPatchable},
      {"patch-only", R"({"clone":{"split_initiated":true}})", Write::kCreate, 16,
       code::kFieldNotSettable},
      {"text for a number", R"({"size":"1"})", Write::kCreate, 16, code::kBadValue},
      {"number for a text", R"({"name":1})", Write::kCreate, 16, code::kBadValue},
      {"value for an object", R"({"guarantee":"none"})", Write::kCreate, 16, code::kBadValue},
      {"object for a list", R"({"aggregates":{"name":"a"}})", Write::kCreate, 16, code::kBadValue},
      {"not in the enumeration", R"({"guarantee":{"type":"thin"}})", Write::kCreate, 16,
       code::kBadValue},
      {"above the range", R"({"tiering":{"min_cooling_days":184}})", Write::kCreate, 16,
       code::kBadValue},
      {"far above any range", R"({"size":18446744073709551615})", Write::kCreate, 16,
       code::kBadValue},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(CodeOf(c.body, models::Volume(), c.write, c.release), c.code);
  }
  const std::string long_comment = json{{"comment", std::string(1024, 'x')}}.dump();
  EXPECT_EQ(CodeOf(long_comment, models::Volume(), Write::kCreate, 16), code::kBadValue);
}

TEST(SchemaTest, DropsUnknownFieldsWhenAsked) {
  const json body =
      CheckBody(R"({"name":"a","nme":"b"})", models::Volume(), Write::kCreate, Release{16}, true);
  EXPECT_EQ(body, (json{{"name", "a"}}));
}

TEST(SelectionTest, KnowsTheGrammarOfFields) {
  struct Case {
    const char* fields;
    const char* path;
    bool is_shown;
  };
  const Case cases[] = {
      {"size", "size", true},
      {"size", "name", true},  // a key
      {"size", "comment", false},
      {"space.{size,used}", "space.used", true},
      {"space.{size,used}", "space.available", false},
      {"space", "space.used", true},
      {"space", "space.snapshot.reserve_percent", false},  // expensive: not named
      {"space.snapshot", "space.snapshot.reserve_percent", true},
      {"encryption", "encryption.type", true},
      {"*", "comment", true},
      {"*", "encryption.type", false},
      {"**", "encryption.type", true},
      {"*,!comment", "comment", false},
      {"clone.{parent_volume,is_flexclone}", "clone.parent_volume.name", true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(std::string(c.fields) + " shows " + c.path);
    const auto selection = Selection::Parse(models::Volume(), Release{16}, c.fields, false);
    EXPECT_EQ(selection.Has(c.path), c.is_shown);
  }
  EXPECT_THROW(Selection::Parse(models::Volume(), Release{16}, "sizes", false), ApiError);
  EXPECT_THROW(Selection::Parse(models::Volume(), Release{12}, "_tags", false), ApiError);
  EXPECT_THROW(Selection::Parse(models::Volume(), Release{16}, "space.{size", false), ApiError);
  EXPECT_NO_THROW(Selection::Parse(models::Volume(), Release{12}, "_tags", true));
}

TEST(SelectionTest, SecretsAreNeverShown) {
  const auto all = Selection::Parse(models::NvmeSubsystemHost(), Release{16}, "**", false);
  EXPECT_FALSE(all.Has("dh_hmac_chap.host_secret_key"));
  EXPECT_FALSE(all.Has("tls.configured_psk"));
}

}  // namespace
}  // namespace ontapnvme::sim
