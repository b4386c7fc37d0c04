// SPDX-License-Identifier: AGPL-3.0-or-later
// The file in which a node remembers its array, as a crash or another hand may have left it.
#include "node/facts_file.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "catalogue/flexvol/facts/array_facts.h"
#include "fuzz/target.h"

namespace {

struct Folder {
  std::string path = "/dev/shm/facts-file-XXXXXX";
  Folder() { ontapnvme::fuzz::Require(::mkdtemp(path.data()) != nullptr, "a folder"); }
  ~Folder() { std::filesystem::remove_all(path); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ontapnvme;
  static const Folder folder;
  const node::FactsFile file(folder.path, "store", "svm1 pve");
  std::ofstream(folder.path + "/store.facts", std::ios::binary) << fuzz::Text(data, size);
  const auto facts = file.Load();
  if (!facts) return 0;
  fuzz::Require(!facts->contains("settings"), "what the file is for is not a fact");
  // What was read can be written and read again.
  file.Store(*facts);
  fuzz::Require(file.Load() == facts, "facts are kept");
  // So can what the back end makes of them.
  if (const auto known = ontapnvme::catalogue::flexvol::ArrayFacts::Parse(*facts)) {
    file.Store(known->Fields());
    const auto written = file.Load();
    fuzz::Require(written.has_value(), "what was written is whole");
    const auto again = ontapnvme::catalogue::flexvol::ArrayFacts::Parse(*written);
    fuzz::Require(again && again->Fields() == known->Fields(), "what is known is kept");
  }
  return 0;
}
