// SPDX-License-Identifier: AGPL-3.0-or-later
// A machine's /sys, /dev, /proc, /etc and /lib/modules in a temporary folder, shaped as the kernels
// 6.1 to 6.12 shape them: classes are links into devices/, a head stands below its subsystem, its
// hidden paths below the controllers.
#pragma once

#include <stdlib.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

namespace ontapnvme::nvme {

// A namespace to be put into the tree. An empty attribute is left out, as older kernels do.
struct FakeHead {
  std::string uuid;
  unsigned head = 1;  // the number behind the n
  unsigned nsid = 1;
  std::uint64_t size_bytes = 1U << 30U;
  std::string nguid = {};
  std::string wwid = {};
  std::string ana_state = "optimized";
  bool has_link = true;
};

class SysfsTree {
 public:
  SysfsTree() {
    // In memory where there is such a folder: a tree of 1,000 namespaces is 10,000 files.
    const std::filesystem::path memory = "/dev/shm";
    const auto parent =
        std::filesystem::exists(memory) ? memory : std::filesystem::temp_directory_path();
    std::string pattern = (parent / "nvme-XXXXXX").string();
    root_ = ::mkdtemp(pattern.data());
    for (const char* each : {"sys/class/nvme", "sys/class/nvme-subsystem", "sys/class/block",
                             "dev/disk/by-id", "proc/self", "etc/nvme", "modules"}) {
      std::filesystem::create_directories(root_ / each);
    }
    Write("sys/module/nvme_core/parameters/multipath", "Y\n");
    Write("sys/module/nvme_tcp/refcnt", "1\n");
  }
  ~SysfsTree() { std::filesystem::remove_all(root_); }
  SysfsTree(const SysfsTree&) = delete;
  SysfsTree& operator=(const SysfsTree&) = delete;

  std::string Path(const std::string& path) const { return (root_ / path).string(); }
  std::string sys() const { return Path("sys"); }
  std::string dev() const { return Path("dev"); }
  std::string proc() const { return Path("proc"); }

  void Write(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path, std::ios::binary) << text;
  }
  std::string Read(const std::string& path) const {
    std::ifstream file(root_ / path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void Remove(const std::string& path) const { std::filesystem::remove_all(root_ / path); }
  void Link(const std::string& target, const std::string& path) const {
    std::filesystem::create_directories((root_ / path).parent_path());
    std::filesystem::remove(root_ / path);
    std::filesystem::create_symlink(target, root_ / path);
  }

  void AddSubsystem(unsigned number, const std::string& nqn,
                    const std::string& model = "NetApp ONTAP Controller") {
    const std::string name = "nvme-subsys" + std::to_string(number);
    const std::string directory = Subsystem(number);
    Write(directory + "/subsysnqn", nqn + "\n");
    Write(directory + "/model", model + std::string(40 - model.size(), ' ') + "\n");
    Link("../../devices/virtual/nvme-subsystem/" + name, "sys/class/nvme-subsystem/" + name);
    nqns_[number] = nqn;
  }

  void AddController(unsigned subsystem, unsigned number, const std::string& traddr,
                     const std::string& state = "live") {
    const std::string name = "nvme" + std::to_string(number);
    const std::string directory = "sys/devices/virtual/nvme-fabrics/ctl/" + name;
    Write(directory + "/subsysnqn", nqns_[subsystem] + "\n");
    Write(directory + "/state", state + "\n");
    Write(directory + "/transport", "tcp\n");
    Write(directory + "/address", "traddr=" + traddr + ",trsvcid=4420,src_addr=192.0.2.9\n");
    Write(directory + "/hostnqn", "nqn.2014-08.org.nvmexpress:uuid:node\n");
    Write(directory + "/ctrl_loss_tmo", "off\n");
    Write(directory + "/rescan_controller", "");
    Write(directory + "/delete_controller", "");
    Link("../../devices/virtual/nvme-fabrics/ctl/" + name, "sys/class/nvme/" + name);
    Link("../../nvme-fabrics/ctl/" + name, Subsystem(subsystem) + "/" + name);
    controllers_[subsystem].push_back(number);
  }

  // Adds the head with a hidden path below every controller that the subsystem has by now.
  std::string AddHead(unsigned subsystem, const FakeHead& head) {
    const std::string number = "nvme" + std::to_string(subsystem);
    const std::string name = number + "n" + std::to_string(head.head);
    const std::string directory = Subsystem(subsystem) + "/" + name;
    WriteUnlessEmpty(directory + "/uuid", head.uuid);
    WriteUnlessEmpty(directory + "/nguid", head.nguid);
    const std::string wwid = head.uuid.empty() ? "" : "uuid." + head.uuid;
    WriteUnlessEmpty(directory + "/wwid", head.wwid.empty() ? wwid : head.wwid);
    Write(directory + "/nsid", std::to_string(head.nsid) + "\n");
    Write(directory + "/size", std::to_string(head.size_bytes / 512) + "\n");
    Write(directory + "/dev", "259:" + std::to_string(subsystem * 10000 + head.head) + "\n");
    std::filesystem::create_directories(root_ / directory / "holders");
    Link("../../nvme-subsys" + std::to_string(subsystem), directory + "/device");
    Link(
        "../../devices/virtual/nvme-subsystem/nvme-subsys" + std::to_string(subsystem) + "/" + name,
        "sys/class/block/" + name);
    for (const unsigned controller : controllers_[subsystem]) {
      Write("sys/devices/virtual/nvme-fabrics/ctl/nvme" + std::to_string(controller) + "/" +
                number + "c" + std::to_string(controller) + "n" + std::to_string(head.head) +
                "/ana_state",
            head.ana_state + "\n");
    }
    Write("dev/" + name, "");
    if (head.has_link && !head.uuid.empty()) {
      Link("../../" + name, "dev/disk/by-id/nvme-uuid." + head.uuid);
    }
    return name;
  }

  void RemoveHead(unsigned subsystem, const std::string& name) const {
    Remove("sys/class/block/" + name);
    Remove(Subsystem(subsystem) + "/" + name);
    Remove("dev/" + name);
  }

  static std::string Subsystem(unsigned number) {
    return "sys/devices/virtual/nvme-subsystem/nvme-subsys" + std::to_string(number);
  }

 private:
  void WriteUnlessEmpty(const std::string& path, const std::string& text) const {
    if (!text.empty()) Write(path, text + "\n");
  }

  std::filesystem::path root_;
  std::map<unsigned, std::string> nqns_;
  std::map<unsigned, std::vector<unsigned>> controllers_;
};

}  // namespace ontapnvme::nvme
