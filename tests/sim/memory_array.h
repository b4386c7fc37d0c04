// SPDX-License-Identifier: AGPL-3.0-or-later
// An array for in-process tests: content in memory, no fabric, equal uuids in every run.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "array.h"
#include "control.h"
#include "memory_store.h"

namespace ontapnvme::sim {

class MemoryArray {
 public:
  explicit MemoryArray(Clock clock, const nlohmann::json& config = nlohmann::json::object())
      : array_({&store_, &fabric_, std::move(clock), kSeed}, config), control_(&array_) {}

  Array& array() { return array_; }
  World& world() { return array_.world(); }
  MemoryStore& store() { return store_; }
  // A control command, see README.md.
  nlohmann::json Ctl(const nlohmann::json& command) { return control_.Execute(command); }

 private:
  static constexpr std::uint64_t kSeed = 9161;

  MemoryStore store_;
  NoFabric fabric_;
  Array array_;
  Control control_;
};

}  // namespace ontapnvme::sim
