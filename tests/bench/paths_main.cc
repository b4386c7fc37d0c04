// SPDX-License-Identifier: AGPL-3.0-or-later
// ontapnvme-paths: what the library itself takes where a storage is large, on Google Benchmark. Names of
// benchmarks are what docs/performance.md shows, with '_' for ' '.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "base/log.h"
#include "catalogue/flexvol/names/array_names.h"
#include "fakes/sysfs_tree.h"
#include "http/transport.h"
#include "model/volume_name.h"
#include "nvme/resolve_by_uuid.h"
#include "ontap/flexvol.h"
#include "ontap/nvme_namespace.h"
#include "ontap/rest_client.h"

namespace ontapnvme {
namespace {

constexpr unsigned kMany = 10'000;
constexpr const char* kNqn = "nqn.1992-08.com.netapp:sn.d3f1:subsystem.pve";

std::string UuidText(unsigned number) {
  char text[37];
  std::snprintf(text, sizeof(text), "%08x-0000-4000-8000-000000000000", number);
  return text;
}

void Must(bool is_right, const std::string& what) {
  if (is_right) return;
  std::cerr << "ontapnvme-paths: " << what << "\n";
  std::exit(1);  // figures of what does not work would say nothing
}

// The same answer to everything, and no network.
class CannedTransport : public http::Transport {
 public:
  CannedTransport(int status, std::string body) {
    answer_.status = status;
    answer_.body = std::move(body);
  }
  Result<http::Response> Perform(const http::Request& request, const Deadline&) override {
    benchmark::DoNotOptimize(request.body.data());
    return answer_;
  }
  std::vector<Result<http::Response>> PerformAll(const std::vector<http::Request>& requests,
                                                 const Deadline& deadline) override {
    std::vector<Result<http::Response>> answers;
    for (const http::Request& request : requests) answers.push_back(Perform(request, deadline));
    return answers;
  }

 private:
  http::Response answer_;
};

struct Rest {
  explicit Rest(std::string body) : transport(200, std::move(body)) {}

  Deadline Budget() { return Deadline(SystemClock(), std::chrono::seconds(45)); }

  CannedTransport transport;
  Log log;
  ontap::RestClient client{transport, log, [] { return 0.0; }};
};

std::string NamespacePage() {
  std::string body = R"({"records":[)";
  for (unsigned i = 0; i < kMany; ++i) {
    const std::string name = "vm_" + std::to_string(100 + i) + "_disk_0";
    body += (i == 0 ? "" : ",") + std::string(R"({"uuid":")") + UuidText(i + 1) +
            R"(","name":"/vol/)" + name + "/" + name + R"(","location":{"volume":{"name":")" +
            name + R"(","uuid":")" + UuidText(i + kMany) +
            R"("}},"space":{"size":4194304,"used":4096},)"
            R"("status":{"state":"online","container_state":"online"},)"
            R"("_links":{"self":{"href":"/api/storage/namespaces/)" +
            UuidText(i + 1) + R"("}}})";
  }
  return body + R"(],"num_records":)" + std::to_string(kMany) + "}";
}

void ReadPage(benchmark::State& state) {
  Rest rest(NamespacePage());
  ontap::NvmeNamespaces namespaces(rest.client, "svm1");
  for (auto _ : state) {
    const auto all = namespaces.List("vm_*", rest.Budget());
    Must(all.ok() && all->size() == kMany, "a page is not read");
  }
}
BENCHMARK(ReadPage)->Name("read_a_page_of_10,000_namespaces")->Unit(benchmark::kMillisecond);

void ParseNames(benchmark::State& state) {
  const catalogue::flexvol::ArrayNames names("p_");
  for (auto _ : state) {
    const auto name = VolumeName::Parse("base-200-disk-0/vm-100-disk-1");
    const auto flexvol = names.FlexVol(*name);
    const auto back = names.VolumeOf(*flexvol);
    Must(back.has_value(), "a name is not parsed");
  }
}
BENCHMARK(ParseNames)->Name("a_volume's_name_to_the_array's_and_back");

void BuildRequest(benchmark::State& state) {
  Rest rest(R"({"num_records":1,"records":[{"uuid":")" + UuidText(1) + R"("}]})");
  ontap::FlexVols volumes(rest.client, "svm1");
  ontap::FlexVolSpec spec;
  spec.name = "vm_100_disk_0";
  spec.aggregate = "aggr1";
  spec.comment = std::string(200, 'c');
  spec.size = ByteCount{std::uint64_t{1} << 40U};
  for (auto _ : state) {
    Must(volumes.Create(spec, rest.Budget()).ok(), "a volume is not created");
  }
}
BENCHMARK(BuildRequest)->Name("build_the_request_for_a_volume_and_read_its_answer");

// A node with 10,000 namespaces over two controllers.
struct Node {
  Node() {
    tree.AddSubsystem(0, kNqn);
    for (unsigned i = 1; i < kMany; ++i) tree.AddHead(0, {.uuid = UuidText(i), .head = i});
    tree.AddHead(0, {.uuid = UuidText(kMany), .head = kMany, .has_link = false});
  }
  nvme::SysfsTree tree;
  nvme::RootedFiles sys{tree.sys()};
  nvme::RootedFiles dev{tree.dev()};
};

void Resolve(benchmark::State& state, unsigned number) {
  static const Node node;
  nvme::WantedDevice wanted;
  wanted.uuid = *Uuid::Parse(UuidText(number));
  wanted.subsystem_nqn = kNqn;
  for (auto _ : state) {
    Must(nvme::ResolveByUuid(node.sys, node.dev, wanted).ok(), "a device is not found");
  }
}
BENCHMARK_CAPTURE(Resolve, linked, kMany / 2)->Name("find_a_device_among_10,000,_by_udev's_link");
BENCHMARK_CAPTURE(Resolve, alone, kMany)
    ->Name("find_a_device_among_10,000,_without_the_link")
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ontapnvme

BENCHMARK_MAIN();
