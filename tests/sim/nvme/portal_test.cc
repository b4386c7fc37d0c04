// SPDX-License-Identifier: AGPL-3.0-or-later
// Portals that fail, and the target below the simulated array.
#include <set>

#include "../array.h"
#include "../control.h"
#include "../file_store.h"
#include "target_fixture.h"

namespace ontapnvme::sim::target {
namespace {

using nlohmann::json;

TEST_F(TargetTest, APortalThatRefusesDropsItsHostsOnly) {
  const auto first = Admin();
  const auto second = Admin(kSecond);
  fabric_->SetPortalMode(kFirst, PortalMode::kRefuse);
  EXPECT_TRUE(first->Receive().empty());
  EXPECT_THROW(Open(), std::runtime_error);
  EXPECT_EQ(second->Do(Sqe(0x18)).status, StatusCode::kSuccess);
  fabric_->SetPortalMode(kFirst, PortalMode::kServe);
  Admin();
}

TEST_F(TargetTest, APortalThatClosesTakesConnectionsAndEndsThem) {
  const auto before = Admin();
  fabric_->SetPortalMode(kFirst, PortalMode::kClose);
  EXPECT_TRUE(before->Receive().empty());
  EXPECT_TRUE(Open()->Receive().empty());
  fabric_->SetPortalMode(kFirst, PortalMode::kServe);
  Admin();
}

TEST_F(TargetTest, APortalThatIsSilentAnswersNothingUntilItIsBack) {
  constexpr int kLongEnoughMs = 200;
  const auto old = Admin(kFirst, 5000);
  fabric_->SetPortalMode(kFirst, PortalMode::kSilent);
  old->Send(Capsule(Sqe(0x18).Id(9)));
  const auto fresh = Open();
  fresh->Send(IcReq());
  EXPECT_FALSE(old->HasInput(kLongEnoughMs));
  EXPECT_FALSE(fresh->HasInput(kLongEnoughMs));
  Advance(2000);
  fabric_->SetPortalMode(kFirst, PortalMode::kServe);
  EXPECT_EQ(old->Await().command_id, 9);  // the silence was shorter than the keep-alive time

  fabric_->SetPortalMode(kFirst, PortalMode::kSilent);
  Advance(6000);  // too long, but the host must learn of it from its own timer
  EXPECT_FALSE(old->HasInput(kLongEnoughMs));
  fabric_->SetPortalMode(kFirst, PortalMode::kServe);
  EXPECT_TRUE(old->Receive().empty());
  Admin();
}

TEST_F(TargetTest, OnlyPortalsThatExistHaveFaults) {
  EXPECT_THROW(fabric_->SetPortalMode("127.0.0.9", PortalMode::kSilent), std::invalid_argument);
  EXPECT_THROW(fabric_->SetPortal({"portal", ""}, true), std::invalid_argument);
  fabric_->SetPortal({kFirst, "node-a"}, false);
  EXPECT_THROW(fabric_->SetPortalMode(kFirst, PortalMode::kServe), std::invalid_argument);
}

// The array's own calls, as a host sees them.
class ArrayOverTargetTest : public TargetTest {
 protected:
  ArrayOverTargetTest() {
    fabric_ = std::make_unique<NvmeTarget>("9.16.1", std::uint16_t{0});
    store_ = std::make_unique<FileStore>(folder_);
    array_ = std::make_unique<Array>(
        Array::Parts{store_.get(), fabric_.get(), [] { return Time(); }, 1});
    control_ = std::make_unique<Control>(array_.get());
  }
  ~ArrayOverTargetTest() override { array_.reset(); }

  json Call(const std::string& method, const std::string& target, const json& body) {
    const json reply = control_->Execute(
        {{"cmd", "admin"}, {"method", method}, {"target", target}, {"body", body}});
    EXPECT_LT(reply["status"].get<int>(), 300) << reply.dump();
    return reply["body"];
  }
  json Ctl(const json& command) {
    json reply = control_->Execute(command);
    EXPECT_TRUE(reply["ok"].get<bool>()) << reply.dump();
    return reply;
  }
  void MapOne() {
    const json svm = {{"name", "svm1"}};
    Call("POST", "/api/storage/volumes?return_timeout=15",
         {{"svm", svm}, {"name", "v"}, {"aggregates", {{{"name", "aggr1"}}}}, {"size", 134217728}});
    Call("POST", "/api/storage/namespaces",
         {{"svm", svm},
          {"name", "/vol/v/n"},
          {"os_type", "linux"},
          {"space", {{"size", 67108864}}}});
    Call("POST", "/api/protocols/nvme/subsystems",
         {{"svm", svm}, {"name", "s"}, {"os_type", "linux"}, {"hosts", {{{"nqn", kHostNqn}}}}});
    Call("POST", "/api/protocols/nvme/subsystem-maps",
         {{"svm", svm}, {"subsystem", {{"name", "s"}}}, {"namespace", {{"name", "/vol/v/n"}}}});
  }
  std::unique_ptr<TestHost> Connect(const std::string& address = kFirst,
                                    std::uint8_t host_id = 0xAB) {
    auto host = Open(address);
    host->Initialize();
    const std::string nqn = array_->world().subsystems.begin()->target_nqn;
    const Reply reply =
        host->Do(FabricsConnect(0), {}, ConnectData(nqn, kHostNqn, 0xFFFF, host_id));
    EXPECT_EQ(reply.status, StatusCode::kSuccess);
    host->Do(PropertySet(0x14, kEnabled));
    return host;
  }
  json Controllers(const std::string& more = "") {
    return Call("GET", "/api/protocols/nvme/subsystem-controllers?fields=*" + more,
                nullptr)["records"];
  }
  static std::set<std::uint32_t> NamespacesSeenBy(TestHost* host) {
    const Bytes page = host->Do(Sqe(0x06, 0).Dword(10, 2).Transport(4096)).data;
    std::set<std::uint32_t> nsids;
    for (std::size_t at = 0; Load<std::uint32_t>(page, at) != 0; at += 4) {
      nsids.insert(Load<std::uint32_t>(page, at));
    }
    return nsids;
  }
  std::string VolumeLabel(TestHost* host) {
    const Bytes page = LogPage(host, 0xC2, 4096, 1, 1).data;
    const std::size_t svm_bytes = Load<std::uint16_t>(page, 34) * 4U;
    return reinterpret_cast<const char*>(page.data()) + 36 + svm_bytes + 4;
  }

  std::unique_ptr<FileStore> store_;
  std::unique_ptr<Array> array_;
  std::unique_ptr<Control> control_;
};

TEST_F(ArrayOverTargetTest, LabelsFollowAVolume) {
  MapOne();
  const auto host = Connect();
  EXPECT_EQ(VolumeLabel(host.get()), "v");
  const std::string uuid = array_->world().namespaces.begin()->volume_uuid;
  Call("PATCH", "/api/storage/volumes/" + uuid + "?return_timeout=15", {{"name", "w"}});
  EXPECT_EQ(VolumeLabel(host.get()), "w");
  Ctl({{"cmd", "nvme-labels"}, {"volume", "w"}, {"says", {{"volume", "x"}}}});
  EXPECT_EQ(VolumeLabel(host.get()), "x");
  Ctl({{"cmd", "nvme-labels"}, {"volume", "w"}});
  EXPECT_EQ(VolumeLabel(host.get()), "w");
}

TEST_F(ArrayOverTargetTest, ControllersAreThoseOfConnectedHosts) {
  MapOne();
  EXPECT_EQ(Controllers(), json::array());
  const auto first = Connect();
  auto second = Connect(kSecond, 0xCD);  // its twin: the same host NQN
  const std::string nqn = array_->world().subsystems.begin()->target_nqn;
  const auto io = Open();
  io->Initialize();
  ASSERT_EQ(io->Do(FabricsConnect(1), {}, ConnectData(nqn, kHostNqn, 1)).status,
            StatusCode::kSuccess);

  const json records = Controllers();
  ASSERT_EQ(records.size(), 2U) << records.dump();
  const json& one = records[0];
  EXPECT_EQ(one["id"], "0001h");
  EXPECT_EQ(one["subsystem"]["name"], "s");
  EXPECT_EQ(one["svm"]["name"], "svm1");
  EXPECT_EQ(one["host"]["nqn"], kHostNqn);
  EXPECT_EQ(one["host"]["id"], "ab" + std::string(30, '0'));
  EXPECT_EQ(one["host"]["transport_address"], "127.0.0.1") << "where it comes from";
  EXPECT_EQ(one["interface"]["transport_address"], kFirst);
  for (const auto& lif : array_->world().lifs) {
    EXPECT_EQ(lif.address == kFirst, one["interface"]["uuid"] == lif.uuid) << lif.name;
  }
  EXPECT_EQ(one["node"]["name"], "sim-01");
  EXPECT_EQ(one["io_queue"]["count"], 1);
  EXPECT_EQ(records[1]["host"]["id"], "cd" + std::string(30, '0'));
  EXPECT_EQ(records[1]["node"]["name"], "sim-02");
  EXPECT_EQ(Controllers("&host.id=cd*").size(), 1U);

  second.reset();
  // The target learns of it by itself: its next answers, at the latest, come after that.
  for (int tries = 0; tries < 1000 && Controllers().size() > 1; ++tries) {
    first->Do(Sqe(0x18));
  }
  EXPECT_EQ(Controllers().size(), 1U);
  // What a test says is there besides.
  Ctl({{"cmd", "controllers"},
       {"subsystem", "s"},
       {"controllers", {{{"id", "0041h"}, {"host", {{"nqn", "nqn.x"}}}}}}});
  EXPECT_EQ(Controllers().size(), 2U);
}

TEST_F(ArrayOverTargetTest, LostEventIsNotMadeUpFor) {
  constexpr int kLongEnoughMs = 200;
  MapOne();
  const auto host = Connect();
  host->Do(Sqe(0x09).Dword(10, 0x0B).Dword(11, kNamespaceNotices));
  host->Send(Capsule(Sqe(0x0C).Id(9)));  // waits for an event
  const json path = {{"svm", {{"name", "svm1"}}}, {"namespace", {{"name", "/vol/v/n"}}}};
  const std::string map = "/api/protocols/nvme/subsystem-maps/" +
                          array_->world().subsystems.begin()->uuid + "/" +
                          array_->world().namespaces.begin()->uuid;
  json again = path;
  again["subsystem"] = {{"name", "s"}};

  Ctl({{"cmd", "nvme-events"}, {"mode", "lose"}});
  Call("DELETE", map, nullptr);
  EXPECT_FALSE(host->HasInput(kLongEnoughMs));
  EXPECT_EQ(NamespacesSeenBy(host.get()), std::set<std::uint32_t>{}) << "who looks sees it";
  Ctl({{"cmd", "nvme-events"}, {"mode", "serve"}});
  EXPECT_FALSE(host->HasInput(kLongEnoughMs)) << "it stays lost";
  Call("POST", "/api/protocols/nvme/subsystem-maps", again);
  EXPECT_EQ(host->Await().command_id, 9);
  EXPECT_EQ(NamespacesSeenBy(host.get()).size(), 1U);
  EXPECT_FALSE(control_->Execute({{"cmd", "nvme-events"}, {"mode", "x"}})["ok"].get<bool>());
}

TEST_F(ArrayOverTargetTest, HostAndArraySeeTheSameBytes) {
  MapOne();
  const auto admin = Connect();
  const std::string nqn = array_->world().subsystems.begin()->target_nqn;
  const auto io = Open();
  io->Initialize();
  ASSERT_EQ(io->Do(FabricsConnect(1), {}, ConnectData(nqn, kHostNqn, 1)).status,
            StatusCode::kSuccess);
  Bytes data(4096);
  StoreText(data, 0, 5, "bytes");
  EXPECT_EQ(io->Do(Io(0x01, 1, 2, 1).InCapsule(4096), {}, data).status, StatusCode::kSuccess);
  EXPECT_EQ(Ctl({{"cmd", "read"}, {"volume", "v"}, {"offset", 8192}, {"length", 5}})["hex"],
            "6279746573");
  Ctl({{"cmd", "write"}, {"volume", "v"}, {"offset", 0}, {"text", "array"}});
  EXPECT_EQ(io->Do(Io(0x02, 1, 0, 1).Transport(4096)).data[0], 'a');
}

TEST_F(ArrayOverTargetTest, PortalFaultsAreCommands) {
  Ctl({{"cmd", "nvme-portal"}, {"address", kFirst}, {"mode", "refuse"}});
  EXPECT_THROW(Open(), std::runtime_error);
  Ctl({{"cmd", "nvme-portal"}, {"address", kFirst}, {"mode", "serve"}});
  Open();
  const json dance = {{"cmd", "nvme-portal"}, {"address", kFirst}, {"mode", "dance"}};
  EXPECT_FALSE(control_->Execute(dance)["ok"].get<bool>());
}

}  // namespace
}  // namespace ontapnvme::sim::target
