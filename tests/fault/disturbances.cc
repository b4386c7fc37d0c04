// SPDX-License-Identifier: AGPL-3.0-or-later
#include "fault/disturbances.h"

#include <gtest/gtest.h>

#include "fault/fault_list.h"

namespace ontapnvme::fault {
namespace {

using nlohmann::json;

constexpr std::size_t kAtOnceMax = 3;
constexpr int kForEver = -1;
constexpr int kNumbersOfClones = 20;

// The questions whose answers are lists.
const std::vector<std::string>& Listings() {
  static const std::vector<std::string> kListings = {
      "/storage/volumes\\?",    "/storage/namespaces\\?",   "/snapshots\\?",
      "/consistency-groups\\?", "/subsystem-maps\\?",       "/subsystems\\?",
      "/svm/svms\\?",           "/network/ip/interfaces\\?"};
  return kListings;
}

int NumberOf(const std::string& disk) {
  return std::stoi(disk.substr(disk.rfind('-') + 1));
}

}  // namespace

Disturbances::Disturbance Disturbances::DrawAnswer() {
  const Fault& fault = AnyOf(Faults());
  Disturbance drawn{fault.name, fault.rule};
  drawn.rule["nth"] = 1 + Below(9);
  drawn.rule["times"] = 1 + Below(3);
  drawn.operations_left = 1 + static_cast<int>(Below(2));
  return drawn;
}

// Less than there is, or nothing at all: once, or for as long as it lasts.
Disturbances::Disturbance Disturbances::DrawListing() {
  const std::string path = AnyOf(Listings());
  Disturbance drawn{"", {{"method", "GET"}, {"path", path}, {"nth", 1 + Below(3)}}};
  switch (Below(3)) {
    case 0:
      drawn.name = "empty " + path;
      drawn.rule["empty"] = true;
      break;
    case 1:
      drawn.name = "short " + path;
      drawn.rule["short"] = 1 + Below(3);
      break;
    default:
      drawn.name = "denied " + path;
      drawn.rule["status"] = 403;
      drawn.rule["code"] = 6;
  }
  drawn.rule["times"] = Below(2) == 0 ? 1 : kForEver;
  drawn.operations_left = 1 + static_cast<int>(Below(5));
  return drawn;
}

void Disturbances::Patch(const std::string& volume_uuid, const json& body) {
  const auto reply = array_->sim.Ctl({{"cmd", "admin"},
                                      {"method", "PATCH"},
                                      {"target", "/api/storage/volumes/" + volume_uuid},
                                      {"body", body}});
  EXPECT_LT(reply.at("status").get<int>(), 300) << reply.dump();
}

Disturbances::Disturbance Disturbances::RenameOnArray(ProxmoxCluster& cluster) {
  const std::string disk = cluster.DrawOrdinary();
  // A clone takes the lowest free name, and shall not take this one meanwhile.
  if (disk.empty() || NumberOf(disk) < kNumbersOfClones) return {};
  if (cluster.node().Namespace(disk) == nullptr) return {};  // renamed already
  const std::string uuid = cluster.node().Namespace(disk)->volume_uuid;
  const std::string flexvol = cluster.node().FlexVolOf(disk);
  Patch(uuid, {{"name", "set_aside_" + flexvol}});
  cluster.Hide(disk);
  Disturbance drawn{.name = "renamed " + flexvol};
  drawn.operations_left = 2 + static_cast<int>(Below(5));
  drawn.end = [=, this, &cluster] {
    Patch(uuid, {{"name", flexvol}});
    cluster.Unhide(disk);
  };
  return drawn;
}

// Longer than some operations have patience.
Disturbances::Disturbance Disturbances::HoldDevice(ProxmoxCluster& cluster) {
  const std::string disk = cluster.DrawOrdinary();
  if (disk.empty() || cluster.node().Namespace(disk) == nullptr) return {};
  const Uuid uuid = *Uuid::Parse(cluster.node().Namespace(disk)->uuid);
  StorageRig& node = *AnyOf(cluster.nodes()).get();
  const auto until = array_->clock->Now() + std::chrono::seconds(1 + Below(20));
  node.host().usage[uuid] = {.is_used = true, .by = "process 77 (vgs)", .may_pass = true};
  node.on_usage = [&node, uuid, until, clock = array_->clock] {
    if (clock->Now() >= until) node.host().usage.erase(uuid);
  };
  Disturbance drawn{.name = "vgs reads " + disk};
  drawn.operations_left = 2;
  drawn.end = [&node, uuid] { node.host().usage.erase(uuid); };
  return drawn;
}

Disturbances::Disturbance Disturbances::Draw(ProxmoxCluster& cluster) {
  switch (Below(10)) {
    case 0:
    case 1:
    case 2:
      return DrawAnswer();
    case 3:
    case 4:
    case 5:
      return DrawListing();
    case 6: {
      Disturbance late{.name = "late listings"};
      array_->Set("late_listing_ms", Below(2) == 0 ? "2000" : "8000");
      array_->Set("late_by_uuid", Below(2) == 0 ? "no" : "yes");
      late.operations_left = 1 + static_cast<int>(Below(6));
      late.end = [this] { array_->Set("late_listing_ms", "0"); };
      return late;
    }
    case 7:
      return RenameOnArray(cluster);
    case 8:
      return HoldDevice(cluster);
    default:
      // The node, or its network, goes in the middle.
      return {.name = "cut off",
              .rule = {{"drop_before", true}, {"nth", 1 + Below(9)}, {"times", kForEver}}};
  }
}

void Disturbances::Next(ProxmoxCluster& cluster) {
  std::vector<Disturbance> lasting;
  for (auto& one : active_) {
    if (--one.operations_left > 0) {
      lasting.push_back(std::move(one));
    } else {
      one.end();
    }
  }
  active_ = std::move(lasting);
  while (active_.size() < kAtOnceMax && Below(3) == 0) {
    auto drawn = Draw(cluster);
    if (!drawn.name.empty()) active_.push_back(std::move(drawn));
  }
  array_->ClearFaults();
  for (const auto& one : active_) {
    if (!one.rule.is_null()) array_->AddFault(one.rule);
  }
}

void Disturbances::End() {
  for (const auto& one : active_) one.end();
  active_.clear();
  array_->ClearFaults();
}

std::string Disturbances::Describe() const {
  std::string text;
  for (const auto& one : active_) {
    text += (text.empty() ? "" : ", ") + one.name;
    if (one.rule.contains("nth")) text += " at " + one.rule["nth"].dump();
  }
  return text.empty() ? "nothing" : text;
}

}  // namespace ontapnvme::fault
