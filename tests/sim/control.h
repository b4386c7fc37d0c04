// SPDX-License-Identifier: AGPL-3.0-or-later
// What a test may ask of the simulator besides REST. README.md lists the commands.
#pragma once

#include <nlohmann/json.hpp>

#include "array.h"

namespace ontapnvme::sim {

class Control {
 public:
  // `array` is borrowed.
  explicit Control(Array* array) : array_(array) {}

  // One command, {"cmd": …, arguments…}. Returns {"ok": true, …} or {"ok": false, "error": …}.
  nlohmann::json Execute(const nlohmann::json& command);

 private:
  nlohmann::json Run(const std::string& name, const nlohmann::json& arguments);
  nlohmann::json Log() const;
  nlohmann::json Set(const nlohmann::json& arguments);
  nlohmann::json State();
  nlohmann::json Age(const nlohmann::json& arguments);
  nlohmann::json ReadBytes(const nlohmann::json& arguments);
  nlohmann::json WriteBytes(const nlohmann::json& arguments);
  nlohmann::json ScheduleSnapshot(const nlohmann::json& arguments);
  nlohmann::json Admin(const nlohmann::json& arguments);
  nlohmann::json Controllers(const nlohmann::json& arguments);
  nlohmann::json NvmePortal(const nlohmann::json& arguments);
  nlohmann::json NvmeLabels(const nlohmann::json& arguments);
  nlohmann::json NvmeEvents(const nlohmann::json& arguments);
  const NvmeNamespace& RequireNamespace(const nlohmann::json& arguments);

  Array* array_;
};

}  // namespace ontapnvme::sim
