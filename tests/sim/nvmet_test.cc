// SPDX-License-Identifier: AGPL-3.0-or-later
// The mirror into configfs, against a folder that behaves like one.
#include "nvmet_fabric.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <memory>
#include <system_error>

#include "array.h"
#include "memory_store.h"

namespace ontapnvme::sim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNqn = "nqn.1992-08.com.netapp:sn.00ff:subsystem.s";
constexpr const char* kHost = "nqn.2014-08.org.nvmexpress:uuid:1";

// Attribute files come and go with their folder, and what is still linked cannot go.
class FakeConfigfs : public Configfs {
 public:
  FakeConfigfs(fs::path root, bool is_new_kernel)
      : Configfs(std::move(root)), is_new_kernel_(is_new_kernel) {
    for (const char* folder : {"subsystems", "hosts", "ports"})
      fs::create_directory(root_ / folder);
  }

  void MakeFolder(const std::string& path) override {
    const bool is_there = Exists(path);
    Configfs::MakeFolder(path);
    if (is_there) return;
    const std::string kind = path.substr(0, path.find('/'));
    if (path.find("/namespaces/") != std::string::npos) {
      Fill(path, {"device_path", "device_uuid", "device_nguid", "buffered_io", "enable",
                  "revalidate_size"});
    } else if (kind == "subsystems") {
      Fill(path, {"attr_allow_any_host", "attr_model", "attr_serial"});
      if (is_new_kernel_) Fill(path, {"attr_firmware"});
      for (const char* name : {"namespaces", "allowed_hosts"})
        fs::create_directory(root_ / path / name);
    } else if (kind == "hosts" && is_new_kernel_) {
      Fill(path, {"dhchap_key", "dhchap_ctrl_key", "dhchap_hash", "dhchap_dhgroup"});
    } else if (kind == "ports") {
      Fill(path, {"addr_adrfam", "addr_trtype", "addr_traddr", "addr_trsvcid"});
      if (is_new_kernel_) Fill(path, {"addr_treq", "addr_tsas"});
      fs::create_directory(root_ / path / "subsystems");
    }
  }

  void RemoveFolder(const std::string& path) override {
    for (const char* inner : {"subsystems", "allowed_hosts", "namespaces"}) {
      if (!List(path + "/" + inner).empty()) {
        throw std::system_error(ENOTEMPTY, std::generic_category(), path);
      }
    }
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      if (entry.is_symlink() && fs::read_symlink(entry) == root_ / path) {
        throw std::system_error(EBUSY, std::generic_category(), path);
      }
    }
    fs::remove_all(root_ / path);
  }

 private:
  void Fill(const std::string& path, const std::vector<std::string>& names) {
    for (const std::string& name : names) std::ofstream(root_ / path / name);
  }

  bool is_new_kernel_;
};

class FakeTlsKeys : public TlsKeys {
 public:
  bool Insert(const std::string& nqn, const std::string& host_nqn,
              const std::string& psk) override {
    inserted.push_back(nqn + " " + host_nqn + " " + psk);
    return knows_keys;
  }
  bool knows_keys = true;
  std::vector<std::string> inserted;
};

class NvmetTest : public ::testing::Test {
 protected:
  NvmetTest() {
    std::string pattern = fs::temp_directory_path() / "ontap-sim-nvmet-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    Open(true);
  }
  ~NvmetTest() override {
    fabric_.reset();
    fs::remove_all(root_);
  }
  void Open(bool is_new_kernel) {
    fabric_.reset();
    configfs_ = std::make_unique<FakeConfigfs>(root_, is_new_kernel);
    fabric_ = std::make_unique<NvmetFabric>(configfs_.get(), &keys_, "9.16.1");
  }
  std::string Value(const std::string& path) { return configfs_->Read(path); }

  fs::path root_;
  std::unique_ptr<FakeConfigfs> configfs_;
  FakeTlsKeys keys_;
  std::unique_ptr<NvmetFabric> fabric_;
};

TEST_F(NvmetTest, ASubsystemLooksLikeOntapAndHangsOnEveryPort) {
  fabric_->SetPortal({"127.0.0.1", ""}, true);
  fabric_->AddSubsystem(kNqn, "serial");
  fabric_->SetPortal({"::1", ""}, true);
  const std::string folder = std::string("subsystems/") + kNqn;
  EXPECT_EQ(Value(folder + "/attr_model"), "NetApp ONTAP Controller");
  EXPECT_EQ(Value(folder + "/attr_serial"), "serial");
  EXPECT_EQ(Value(folder + "/attr_allow_any_host"), "0");
  EXPECT_EQ(Value(folder + "/attr_firmware"), "9.16.1");
  const auto ports = configfs_->List("ports");
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_EQ(Value("ports/" + ports[0] + "/addr_traddr"), "127.0.0.1");
  EXPECT_EQ(Value("ports/" + ports[0] + "/addr_trsvcid"), "4420");
  EXPECT_EQ(Value("ports/" + ports[1] + "/addr_adrfam"), "ipv6");
  for (const std::string& port : ports) {
    EXPECT_TRUE(configfs_->Exists("ports/" + port + "/subsystems/" + kNqn));
  }
  fabric_->SetPortal({"127.0.0.1", ""}, false);
  EXPECT_EQ(configfs_->List("ports").size(), 1U);
}

TEST_F(NvmetTest, NamespacesComeGoAndGrow) {
  fabric_->AddSubsystem(kNqn, "serial");
  fabric_->Attach(kNqn, {3, "uuid-1", "nguid-1", "/state/uuid-1", 4096, "", {}});
  const std::string folder = std::string("subsystems/") + kNqn + "/namespaces/3";
  EXPECT_EQ(Value(folder + "/device_path"), "/state/uuid-1");
  EXPECT_EQ(Value(folder + "/device_uuid"), "uuid-1");
  EXPECT_EQ(Value(folder + "/device_nguid"), "nguid-1");
  EXPECT_EQ(Value(folder + "/enable"), "1");
  fabric_->SizeChanged(kNqn, 3);
  EXPECT_EQ(Value(folder + "/revalidate_size"), "1");
  fabric_->Detach(kNqn, 3);
  EXPECT_FALSE(configfs_->Exists(folder));
}

TEST_F(NvmetTest, HostsCarrySecretsWhereTheKernelTakesThem) {
  const TargetHost host{kHost, "DHHC-1:00:a:", "DHHC-1:00:b:", "hmac(sha256)", "ffdhe2048"};
  const std::string folder = std::string("hosts/") + kHost;
  fabric_->AddSubsystem(kNqn, "serial");
  fabric_->AddHost(kNqn, host);
  EXPECT_EQ(Value(folder + "/dhchap_key"), "DHHC-1:00:a:");
  EXPECT_EQ(Value(folder + "/dhchap_ctrl_key"), "DHHC-1:00:b:");
  EXPECT_EQ(Value(folder + "/dhchap_dhgroup"), "ffdhe2048");
  fabric_->RemoveHost(kNqn, kHost);
  EXPECT_FALSE(configfs_->Exists(folder));  // with its keys

  Open(false);
  fabric_->AddSubsystem(kNqn, "serial");
  fabric_->AddHost(kNqn, host);
  EXPECT_TRUE(configfs_->Exists(std::string("subsystems/") + kNqn + "/allowed_hosts/" + kHost));
}

TEST_F(NvmetTest, PortsOfferTlsFromTheFirstHostWithAKeyOn) {
  fabric_->SetPortal({"127.0.0.1", ""}, true);
  fabric_->AddSubsystem(kNqn, "serial");
  const auto port = [this](std::size_t n) { return "ports/" + configfs_->List("ports").at(n); };
  fabric_->AddHost(kNqn, {"nqn.2014-08.org.nvmexpress:uuid:2", "", "", "", ""});
  EXPECT_EQ(Value(port(0) + "/addr_tsas"), "");
  fabric_->AddHost(kNqn, {kHost, "", "", "", "", "NVMeTLSkey-1:01:x:"});
  EXPECT_EQ(keys_.inserted,
            std::vector<std::string>{std::string(kNqn) + " " + kHost + " NVMeTLSkey-1:01:x:"});
  fabric_->SetPortal({"127.0.0.2", ""}, true);
  for (const std::size_t n : {0U, 1U}) {
    EXPECT_EQ(Value(port(n) + "/addr_tsas"), "tls1.3");
    EXPECT_EQ(Value(port(n) + "/addr_treq"), "not required") << "others go on without";
    EXPECT_TRUE(configfs_->Exists(port(n) + "/subsystems/" + kNqn));
  }
}

TEST_F(NvmetTest, MachineWithoutTlsKeysServesSuchAHostWithout) {
  keys_.knows_keys = false;
  fabric_->SetPortal({"127.0.0.1", ""}, true);
  fabric_->AddSubsystem(kNqn, "serial");
  fabric_->AddHost(kNqn, {kHost, "", "", "", "", "NVMeTLSkey-1:01:x:"});
  EXPECT_EQ(Value("ports/" + configfs_->List("ports").at(0) + "/addr_tsas"), "");
  EXPECT_TRUE(configfs_->Exists(std::string("subsystems/") + kNqn + "/allowed_hosts/" + kHost));
}

TEST_F(NvmetTest, AHostStaysWhileAnotherSubsystemAllowsIt) {
  const std::string other = std::string(kNqn) + "2";
  fabric_->AddSubsystem(kNqn, "a");
  fabric_->AddSubsystem(other, "b");
  fabric_->AddHost(kNqn, {kHost, "", "", "", ""});
  fabric_->AddHost(other, {kHost, "", "", "", ""});
  fabric_->RemoveSubsystem(kNqn);
  EXPECT_TRUE(configfs_->Exists(std::string("hosts/") + kHost));
  fabric_->RemoveSubsystem(other);
  EXPECT_FALSE(configfs_->Exists(std::string("hosts/") + kHost));
}

TEST_F(NvmetTest, AStartRemovesItsOwnLeftoversOnly) {
  const std::string foreign = "nqn.2020-01.org.example:other";
  configfs_->MakeFolder("subsystems/" + foreign);
  configfs_->MakeFolder("ports/1");
  configfs_->Link("subsystems/" + foreign, "ports/1/subsystems/" + foreign);
  fabric_->SetPortal({"127.0.0.1", ""}, true);
  fabric_->AddSubsystem(kNqn, "serial");
  fabric_->AddHost(kNqn, {kHost, "", "", "", ""});
  fabric_->Attach(kNqn, {1, "uuid", "nguid", "/state/uuid", 4096, "", {}});
  configfs_->Link(std::string("subsystems/") + kNqn, std::string("ports/1/subsystems/") + kNqn);

  NvmetFabric fresh(configfs_.get(), &keys_, "9.16.1");  // as after a crash of the first one
  EXPECT_EQ(configfs_->List("subsystems"), std::vector<std::string>{foreign});
  EXPECT_EQ(configfs_->List("ports"), std::vector<std::string>{"1"});
  EXPECT_EQ(configfs_->List("hosts"), std::vector<std::string>{});
  EXPECT_EQ(configfs_->List("ports/1/subsystems"), std::vector<std::string>{foreign});
}

TEST_F(NvmetTest, RestCallsReachTheTarget) {
  MemoryStore store;
  Array array({&store, fabric_.get(), [] { return Time(); }, 1});
  const auto call = [&](const std::string& target, const std::string& body) {
    Request request;
    request.method = "POST";
    request.target = target;
    request.body = body;
    const Outcome outcome = array.HandleAsAdmin(request);
    EXPECT_EQ(outcome.status, 201) << outcome.body;
  };
  const std::string svm = R"({"svm":{"name":"svm1"},)";
  call("/api/storage/volumes?return_timeout=15",
       svm + R"("name":"v","aggregates":[{"name":"aggr1"}],"size":134217728})");
  call("/api/storage/namespaces",
       svm + R"("name":"/vol/v/n","os_type":"linux","space":{"size":67108864}})");
  call("/api/protocols/nvme/subsystems",
       svm + R"("name":"s","os_type":"linux","hosts":[{"nqn":")" + kHost + R"("}]})");
  call("/api/protocols/nvme/subsystem-maps",
       svm + R"("subsystem":{"name":"s"},"namespace":{"name":"/vol/v/n"}})");
  const auto subsystems = configfs_->List("subsystems");
  ASSERT_EQ(subsystems.size(), 1U);
  const std::string folder = "subsystems/" + subsystems[0];
  EXPECT_EQ(Value(folder + "/namespaces/1/device_uuid"), array.world().namespaces.begin()->uuid);
  EXPECT_EQ(configfs_->List(folder + "/allowed_hosts"), std::vector<std::string>{kHost});
  EXPECT_EQ(configfs_->List("ports").size(), 2U);  // the data LIFs of svm1
}

}  // namespace
}  // namespace ontapnvme::sim
