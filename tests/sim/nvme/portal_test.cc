// SPDX-License-Identifier: AGPL-3.0-or-later
// Portals that fail, and the target below the simulated array.
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
  std::unique_ptr<TestHost> Connect() {
    auto host = Open();
    host->Initialize();
    const std::string nqn = array_->world().subsystems.begin()->target_nqn;
    EXPECT_EQ(host->Do(FabricsConnect(0), {}, ConnectData(nqn, kHostNqn)).status,
              StatusCode::kSuccess);
    host->Do(PropertySet(0x14, kEnabled));
    return host;
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
