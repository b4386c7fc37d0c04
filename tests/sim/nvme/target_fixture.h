// SPDX-License-Identifier: AGPL-3.0-or-later
// A target with one subsystem of one namespace, two portals on two nodes, and hosts for it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "../nvme_target.h"
#include "test_host.h"

namespace ontapnvme::sim::target {

inline constexpr const char* kNqn = "nqn.1992-08.com.netapp:sn.00ff:subsystem.s";
inline constexpr const char* kHostNqn = "nqn.2014-08.org.nvmexpress:uuid:1";
inline constexpr const char* kUuid = "5c0d1f2e-3a4b-4c5d-8e6f-708192a3b4c5";
inline constexpr const char* kNguid = "00112233-4455-6677-8899-aabbccddeeff";
inline constexpr std::uint64_t kSizeBytes = 8U << 20U;
inline constexpr std::uint32_t kBlockBytes = 4096;

class TargetTest : public ::testing::Test {
 protected:
  TargetTest() {
    std::string pattern = std::filesystem::temp_directory_path() / "ontap-sim-target-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    const auto clock = [this] { return SteadyTime(std::chrono::milliseconds(now_ms_.load())); };
    fabric_ = std::make_unique<NvmeTarget>("9.16.1", std::uint16_t{0}, clock);
    fabric_->SetPortal({kFirst, "node-a"}, true);
    fabric_->SetPortal({kSecond, "node-b"}, true);
    fabric_->AddSubsystem(kNqn, "serial-1");
    fabric_->AddHost(kNqn, {kHostNqn, "", "", "", ""});
    Attach(1, kUuid);
  }
  ~TargetTest() override {
    fabric_.reset();
    std::filesystem::remove_all(folder_);
  }

  static constexpr const char* kFirst = "127.0.0.1";
  static constexpr const char* kSecond = "127.0.0.2";

  std::string File(unsigned nsid) const { return folder_ / std::to_string(nsid); }
  void Attach(unsigned nsid, const std::string& uuid, const std::string& node = "node-a") {
    std::ofstream(File(nsid), std::ios::app).close();
    std::filesystem::resize_file(File(nsid), kSizeBytes);
    fabric_->Attach(kNqn, {nsid,
                           uuid,
                           kNguid,
                           File(nsid),
                           kBlockBytes,
                           node,
                           {"svm1", "vm_100_disk_0", "/vol/vm_100_disk_0/disk"}});
  }
  void Advance(int milliseconds) {
    now_ms_ += milliseconds;
    fabric_->Wake();
  }

  std::unique_ptr<TestHost> Open(const std::string& address = kFirst) {
    return std::make_unique<TestHost>(address, fabric_->PortOf(address));
  }
  // An admin queue whose controller is enabled.
  std::unique_ptr<TestHost> Admin(const std::string& address = kFirst,
                                  std::uint32_t keep_alive_ms = 0) {
    auto host = Open(address);
    host->Initialize();
    const Reply reply = host->Do(FabricsConnect(0, keep_alive_ms), {}, ConnectData(kNqn, kHostNqn));
    EXPECT_EQ(reply.status, StatusCode::kSuccess);
    controller_id_ = static_cast<std::uint16_t>(reply.result);
    EXPECT_EQ(host->Do(PropertySet(0x14, kEnabled)).status, StatusCode::kSuccess);
    return host;
  }
  // A queue of the controller that was connected last.
  std::unique_ptr<TestHost> IoQueue(std::uint16_t queue_id, const std::string& address = kFirst) {
    auto host = Open(address);
    host->Initialize();
    const Reply reply =
        host->Do(FabricsConnect(queue_id), {}, ConnectData(kNqn, kHostNqn, controller_id_));
    EXPECT_EQ(reply.status, StatusCode::kSuccess);
    return host;
  }
  static Reply LogPage(TestHost* host, std::uint8_t page, std::size_t bytes, std::uint32_t nsid = 0,
                       std::uint32_t specific = 0) {
    const auto dwords = static_cast<std::uint32_t>(bytes / 4 - 1);
    Sqe sqe(0x02, nsid);
    sqe.Dword(10, dwords << 16U | specific << 8U | page).Transport(bytes);
    return host->Do(sqe);
  }

  static constexpr std::uint32_t kEnabled = 0x00460001;
  std::filesystem::path folder_;
  std::atomic<std::int64_t> now_ms_{1'000'000};
  std::unique_ptr<NvmeTarget> fabric_;
  std::uint16_t controller_id_ = 0;
};

}  // namespace ontapnvme::sim::target
