// SPDX-License-Identifier: AGPL-3.0-or-later
#include "contract/array_under_test.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

extern char** environ;

namespace ontapnvme::contract {
namespace {

using nlohmann::json;

std::string Environment(const char* name, const std::string& fallback) {
  const char* value = std::getenv(name);
  return value == nullptr ? fallback : value;
}

Address RealAddress() {
  Address address;
  address.host = Environment("ONTAPNVME_TEST_ARRAY", "");
  address.ca_file = Environment("ONTAPNVME_TEST_CA", "");
  address.username = Environment("ONTAPNVME_TEST_USERNAME", address.username);
  address.password = Environment("ONTAPNVME_TEST_PASSWORD", address.password);
  address.svm = Environment("ONTAPNVME_TEST_SVM", address.svm);
  address.aggregate = Environment("ONTAPNVME_TEST_AGGREGATE", address.aggregate);
  return address;
}

// One line, without its end.
std::string ReadLine(int fd) {
  std::string line;
  char c = 0;
  while (::read(fd, &c, 1) == 1 && c != '\n') line += c;
  return line;
}

int Connect(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof(address.sun_path) - 1);
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    throw std::runtime_error("cannot reach the simulator at " + path);
  }
  return fd;
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Variant& variant) {
  return out << variant.release << (variant.has_jobs ? " with jobs" : "");
}

std::vector<Variant> Variants() {
  std::vector<Variant> variants{{"9.10.1", false}, {"9.11.1", true}, {"9.12.1", false},
                                {"9.16.1", false}, {"9.16.1", true}, {"9.18.1", false}};
  if (std::getenv("ONTAPNVME_TEST_ARRAY") != nullptr) variants.push_back({"real", false});
  return variants;
}

std::string VariantName(const ::testing::TestParamInfo<Variant>& info) {
  std::string name = "R" + std::string(info.param.release);
  for (char& c : name) {
    if (c == '.') c = '_';
  }
  return name + (info.param.has_jobs ? "Jobs" : "");
}

Simulator::Simulator(const Variant& variant) {
  folder_ = ::testing::TempDir() + "ontapnvme-contract-XXXXXX";
  if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no temporary folder");
  const std::string control = folder_ + "/control";
  const std::string state = folder_ + "/state";
  const std::array<const char*, 9> arguments{ONTAP_SIM,       "--state",           state.c_str(),
                                             "--control",     control.c_str(),     "--release",
                                             variant.release, "--die-with-parent", nullptr};
  std::array<int, 2> output{-1, -1};
  if (::pipe2(output.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  const int failed = ::posix_spawn(&process_, ONTAP_SIM, &actions, nullptr,
                                   const_cast<char* const*>(arguments.data()), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(output[1]);
  if (failed != 0) throw std::runtime_error("cannot start the simulator");
  const json ready = json::parse(ReadLine(output[0]), nullptr, false);
  ::close(output[0]);
  if (!ready.is_object()) throw std::runtime_error("the simulator did not start");

  const std::string listen = ready.at("listen").at(0);
  const auto colon = listen.rfind(':');
  address_.host = listen.substr(0, colon);
  address_.port = static_cast<unsigned>(std::stoul(listen.substr(colon + 1)));
  address_.ca_file = ready.at("ca");
  control_ = Connect(control);
  Control({{"cmd", "set"}, {"async", variant.has_jobs ? "always" : "never"}});
}

Simulator::~Simulator() {
  if (control_ >= 0) ::close(control_);
  if (process_ > 0) {
    ::kill(process_, SIGTERM);
    ::waitpid(process_, nullptr, 0);
  }
  std::filesystem::remove_all(folder_);
}

json Simulator::Control(const json& command) {
  const std::string line = command.dump() + "\n";
  if (::write(control_, line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    throw std::runtime_error("the simulator is gone");
  }
  json answer = json::parse(ReadLine(control_), nullptr, false);
  EXPECT_TRUE(answer.is_object() && answer.value("ok", false)) << command << " " << answer;
  return answer;
}

http::CurlOptions ContractFixture::Options() const {
  http::CurlOptions options;
  options.host = address_.host;
  options.port = address_.port;
  options.username = address_.username;
  options.password = Secret(address_.password);
  options.ca_file = address_.ca_file;
  options.client_app = "ontapnvme/contract";
  return options;
}

void ContractFixture::SetUp() {
  if (std::string(GetParam().release) == "real") {
    address_ = RealAddress();
  } else {
    simulator_ = std::make_unique<Simulator>(GetParam());
    address_ = simulator_->address();
  }
  prefix_ = "ontapnvme_contract_" + std::to_string(::getpid()) + "_";
  transport_ = std::make_unique<http::CurlTransport>(Options());
  rest_ = std::make_unique<ontap::RestClient>(*transport_, log_, [] { return 0.5; });
  svms_ = std::make_unique<ontap::Svms>(*rest_);
  volumes_ = std::make_unique<ontap::FlexVols>(*rest_, address_.svm);
  namespaces_ = std::make_unique<ontap::NvmeNamespaces>(*rest_, address_.svm);
  subsystems_ = std::make_unique<ontap::NvmeSubsystems>(*rest_, address_.svm);
  snapshots_ = std::make_unique<ontap::Snapshots>(*rest_, address_.svm);
  groups_ = std::make_unique<ontap::ConsistencyGroups>(*rest_, address_.svm);
  const auto cluster = svms_->ReadCluster(Budget());
  ASSERT_SUCCEEDS(cluster);
  rest_->SetRelease(cluster->release);
}

// The simulator goes with its test; a real array is left as it was.
void ContractFixture::TearDown() {
  if (!IsReal() || !volumes_) return;
  if (const auto left = groups_->List(prefix_ + "*", Budget()); left.ok()) {
    for (const auto& group : *left) EXPECT_TRUE(groups_->Delete(group.uuid, Budget()).ok());
  }
  const auto disks = ontap::ReadDiskObjects(*rest_, address_.svm, prefix_ + "*", Budget());
  ASSERT_SUCCEEDS(disks);
  // Clones hold their parents, so they go first.
  for (const bool are_clones : {true, false}) {
    for (const auto& disk : *disks) {
      if (disk.volume.parent_volume_name.empty() == are_clones) continue;
      for (const auto& ns : disk.namespaces) {
        if (!ns.subsystem_uuid) continue;
        EXPECT_TRUE(subsystems_->Unmap(*ns.subsystem_uuid, ns.uuid, Budget()).ok());
      }
      const Status deleted = volumes_->Delete(disk.volume.uuid, true, Budget());
      EXPECT_TRUE(deleted.ok()) << deleted.error().Line();
    }
  }
}

ontap::FlexVolSpec ContractFixture::Spec(const std::string& part) const {
  ontap::FlexVolSpec spec;
  spec.name = Name(part);
  spec.aggregate = address_.aggregate;
  spec.comment = "made by the contract suite";
  spec.size = MiB(100);
  return spec;
}

Uuid ContractFixture::MakeVolume(const std::string& part) {
  const auto uuid = volumes_->Create(Spec(part), Budget());
  if (uuid.ok()) return *uuid;
  ADD_FAILURE() << uuid.error().Line();
  return {};
}

ontap::NvmeNamespace ContractFixture::MakeDisk(const std::string& part) {
  const Uuid volume = MakeVolume(part);
  auto ns = namespaces_->Create(Name(part), Name(part), MiB(64), "a disk", Budget());
  if (!ns.ok()) {
    ADD_FAILURE() << ns.error().Line();
    return {};
  }
  ns->volume_uuid = volume;
  return *std::move(ns);
}

ontap::NvmeSubsystem ContractFixture::Subsystem() {
  constexpr const char* kName = "ontapnvme_contract";
  auto found = subsystems_->Find(kName, Budget());
  if (found.ok() && *found) return **std::move(found);
  auto made = subsystems_->Create(kName, "made by the contract suite", Budget());
  if (made.ok()) return *std::move(made);
  ADD_FAILURE() << made.error().Line();
  return {};
}

}  // namespace ontapnvme::contract
