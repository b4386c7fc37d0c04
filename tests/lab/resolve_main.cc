// SPDX-License-Identifier: AGPL-3.0-or-later
// ontapnvme-resolve UUID NQN BYTES [SVM FLEXVOL]: what each strategy of the device resolver says
// about one namespace on this machine, one line a strategy; with the names, these are part of the
// proof. For the lab; never installed.
//
//   by-uuid  /dev/nvme0n1
//   labels   - <why it found nothing>
//
// Last what the first takes when it is done again: "microseconds 85".
#include <algorithm>
#include <charconv>
#include <chrono>
#include <iostream>
#include <string_view>

#include "nvme/device_resolver.h"
#include "nvme/helper/helper_process.h"
#include "nvme/kernel/device_port.h"
#include "nvme/kernel/rooted_files.h"

namespace {

using namespace ontapnvme;  // NOLINT: a program of the library's own

// Under emulation a process takes a second where a machine takes milliseconds.
constexpr Duration kBudget{20'000};

// What the strategy saw, where it has said so.
std::string Told(nvme::Strategy strategy, const Error& error) {
  const auto seen = error.Fact(nvme::ToString(strategy));
  return seen.empty() ? error.Line() : std::string(seen);
}

// What else the machine does makes it slower, never quicker.
long long QuickestByUuid(nvme::DeviceResolver& resolver, const nvme::WantedDevice& wanted) {
  constexpr int kRounds = 20;
  auto best = std::chrono::steady_clock::duration::max();
  for (int i = 0; i < kRounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    (void)resolver.ResolveBy(nvme::Strategy::kByUuid, wanted, Deadline(SystemClock(), kBudget));
    best = std::min(best, std::chrono::steady_clock::now() - start);
  }
  return std::chrono::duration_cast<std::chrono::microseconds>(best).count();
}

int Run(nvme::WantedDevice wanted) {
  const nvme::RootedFiles sys("/sys");
  const nvme::RootedFiles dev("/dev");
  nvme::HelperProcesses helpers(nvme::InstalledHelper());
  nvme::DeviceResolver resolver(sys, dev, nvme::KernelDevices(), helpers);
  for (const auto strategy :
       {nvme::Strategy::kByUuid, nvme::Strategy::kLabels, nvme::Strategy::kTopology}) {
    const auto device = resolver.ResolveBy(strategy, wanted, Deadline(SystemClock(), kBudget));
    std::cout << nvme::ToString(strategy) << " "
              << (device.ok() ? device->path : "- " + Told(strategy, device.error())) << std::endl;
    if (!device.ok()) continue;
    const auto size = nvme::CheckSize(*device, wanted);
    if (!size.ok()) std::cout << "size - " << size.error().Line() << std::endl;
  }
  std::cout << "microseconds " << QuickestByUuid(resolver, wanted) << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const bool has_arguments = argc == 4 || argc == 6;
  const auto uuid = has_arguments ? Uuid::Parse(argv[1]) : std::nullopt;
  std::uint64_t bytes = 0;
  const std::string_view size = has_arguments ? argv[3] : "";
  const auto parsed = std::from_chars(size.data(), size.data() + size.size(), bytes);
  if (!uuid || size.empty() || parsed.ptr != size.data() + size.size()) {
    std::cerr << "usage: ontapnvme-resolve UUID NQN BYTES [SVM FLEXVOL]\n";
    return 2;
  }
  nvme::WantedDevice wanted;
  wanted.uuid = *uuid;
  wanted.subsystem_nqn = argv[2];
  wanted.size = ByteCount{bytes};
  if (argc == 6) {
    wanted.svm_name = argv[4];
    wanted.volume_name = argv[5];
  }
  return Run(std::move(wanted));
}
