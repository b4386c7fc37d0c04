// SPDX-License-Identifier: AGPL-3.0-or-later
// The file in which a node remembers its array, as a crash or another hand may have left it.
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "fuzz/target.h"
#include "pve/node_memory.h"

namespace {

struct Folder {
  std::string path = "/dev/shm/node-memory-XXXXXX";
  Folder() { ontapnvme::fuzz::Require(::mkdtemp(path.data()) != nullptr, "a folder"); }
  ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  static const Folder folder;
  const pve::NodeMemory memory(folder.path, "store", "svm1 pve");
  std::ofstream(folder.path + "/store.facts", std::ios::binary) << fuzz::Text(data, size);
  const auto facts = memory.Load();
  if (!facts) return 0;
  fuzz::Require(!facts->subsystem_nqn.empty(), "half a memory is none");
  // What was read can be written and read again.
  memory.Store(*facts);
  const auto again = memory.Load();
  fuzz::Require(
      again && again->svm_uuid == facts->svm_uuid && again->subsystem_nqn == facts->subsystem_nqn &&
          again->lif_addresses == facts->lif_addresses && again->read_at_s == facts->read_at_s,
      "a memory is kept");
  return 0;
}
