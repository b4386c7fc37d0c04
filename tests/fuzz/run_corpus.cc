// SPDX-License-Identifier: AGPL-3.0-or-later
// Runs a target over its corpus without libFuzzer, with any compiler: every file, every beginning
// of it, and every file with one byte changed. The same inputs in every run.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>

#include "fuzz/target.h"

namespace {

std::size_t inputs = 0;

void Run(const std::string& input) {
  ++inputs;
  // A copy of exactly that size: an address sanitizer sees the first byte behind it.
  const auto bytes = std::make_unique<std::uint8_t[]>(input.size());
  std::copy(input.begin(), input.end(), bytes.get());
  LLVMFuzzerTestOneInput(bytes.get(), input.size());
}

void RunAround(const std::string& input) {
  // Long files are sampled, so that a corpus takes a second and not a minute.
  constexpr std::size_t kSteps = 64;
  const std::size_t step = std::max<std::size_t>(1, input.size() / kSteps);
  Run(input);
  for (std::size_t at = 0; at < input.size(); at += step) {
    Run(input.substr(0, at));
    for (const char other : {'\0', '\n', '"', '9', '\x1b', '\xff'}) {
      std::string changed = input;
      changed[at] = other;
      Run(changed);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t files = 0;
  for (int i = 1; i < argc; ++i) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      std::ifstream file(entry.path(), std::ios::binary);
      RunAround({std::istreambuf_iterator<char>(file), {}});
      ++files;
    }
  }
  std::cout << files << " files, " << inputs << " inputs\n";
  return files > 0 ? 0 : 1;  // a corpus that is not there proves nothing
}
