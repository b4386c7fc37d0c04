// SPDX-License-Identifier: AGPL-3.0-or-later
#include "nvme/topology.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "nvme/kernel/kernel_names.h"

namespace ontapnvme::nvme {
namespace {

constexpr const char* kControllerClass = "class/nvme";
constexpr const char* kSubsystemClass = "class/nvme-subsystem";
constexpr std::uint64_t kSectorBytes = 512;  // unit of every block device's `size`

// The folder's names, none when it does not exist: without the driver there is no class.
Result<std::vector<std::string>> ListIfPresent(const RootedFiles& sys, const std::string& path) {
  auto names = sys.List(path);
  if (FailedWith(names, ErrorCode::kNotFound)) return std::vector<std::string>();
  if (names) std::sort(names->begin(), names->end());
  return names;
}

std::optional<Uuid> FromWwid(std::string_view wwid) {
  if (wwid.starts_with("uuid.")) {
    const auto uuid = Uuid::Parse(wwid.substr(5));
    return uuid && !uuid->IsNil() ? uuid : std::nullopt;
  }
  // "eui." and 32 digits is an NGUID; with 16 digits it is an EUI-64, which is no identity of ours.
  constexpr std::size_t kNguidDigits = 32;
  if (!wwid.starts_with("eui.") || wwid.size() != 4 + kNguidDigits) return std::nullopt;
  std::string text(wwid.substr(4));
  for (const std::size_t at : {20U, 16U, 12U, 8U}) text.insert(at, "-");
  return Uuid::Parse(text);
}

}  // namespace

void ParseAddress(std::string_view text, Controller& controller) {
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    // Whole keys: "traddr" must not match "host_traddr".
    if (item.starts_with("traddr=")) controller.traddr = item.substr(7);
    if (item.starts_with("trsvcid=")) controller.trsvcid = item.substr(8);
  }
}

std::string Describe(const std::vector<NamespacePath>& paths) {
  std::string text;
  for (const auto& path : paths) {
    const std::string ana = path.ana_state.empty() ? "" : "/" + path.ana_state;
    AppendTo(text, ", ", path.controller + " " + path.controller_state + ana);
  }
  return text.empty() ? "none" : text;
}

std::optional<Controller> Topology::ReadController(const std::string& name,
                                                   std::string_view subsystem_nqn) const {
  const std::string directory = std::string(kControllerClass) + "/" + name + "/";
  const auto nqn = sys_->Attribute(directory + "subsysnqn");
  if (!nqn || (!subsystem_nqn.empty() && *nqn != subsystem_nqn)) return std::nullopt;
  const auto state = sys_->Attribute(directory + "state");
  if (!state) return std::nullopt;
  Controller controller;
  controller.name = name;
  controller.subsystem_nqn = *nqn;
  controller.state = *state;
  controller.transport = sys_->Attribute(directory + "transport").value_or("");
  controller.host_nqn = sys_->Attribute(directory + "hostnqn").value_or("");
  ParseAddress(sys_->Attribute(directory + "address").value_or(""), controller);
  return controller;
}

Result<std::vector<Controller>> Topology::Controllers(std::string_view subsystem_nqn) const {
  TRY(const auto names, ListIfPresent(*sys_, kControllerClass));
  std::vector<Controller> controllers;
  for (const auto& name : names) {
    if (!ParseControllerName(name)) continue;
    if (auto controller = ReadController(name, subsystem_nqn)) {
      controllers.push_back(*std::move(controller));
    }
  }
  return controllers;
}

Result<std::vector<Head>> Topology::Heads(std::string_view subsystem_nqn) const {
  TRY(const auto subsystems, ListIfPresent(*sys_, kSubsystemClass));
  std::vector<Head> heads;
  for (const auto& subsystem : subsystems) {
    const std::string directory = std::string(kSubsystemClass) + "/" + subsystem;
    TRY(const auto nqn, sys_->AttributeIfAny(directory + "/subsysnqn"));
    if (!nqn) continue;  // it goes away at this moment
    if (!subsystem_nqn.empty() && *nqn != subsystem_nqn) continue;
    TRY(const auto names, ListIfPresent(*sys_, directory));
    for (const auto& name : names) {
      if (!ParseHeadName(name)) continue;
      heads.push_back(Head{name, *nqn, directory + "/" + name});
    }
  }
  return heads;
}

std::vector<NamespacePath> Topology::PathsOf(std::string_view head_name,
                                             std::string_view subsystem_nqn) const {
  std::vector<NamespacePath> paths;
  const auto head = ParseHeadName(head_name);
  const auto names = ListIfPresent(*sys_, kControllerClass);
  if (!head || !names) return paths;
  for (const auto& name : *names) {
    const auto number = ParseControllerName(name);
    if (!number) continue;
    const std::string controller = std::string(kControllerClass) + "/" + name;
    if (sys_->Attribute(controller + "/subsysnqn") != subsystem_nqn) continue;
    // The name of the hidden disk follows from the two numbers; listing the folder instead would
    // cost one entry per namespace of the subsystem.
    const std::string directory = controller + "/" + PathName(*head, *number);
    const auto ana = sys_->Attribute(directory + "/ana_state");
    if (!ana && !sys_->Exists(directory)) continue;
    paths.push_back(NamespacePath{name, sys_->Attribute(controller + "/state").value_or("gone"),
                                  ana.value_or("")});
  }
  return paths;
}

Result<bool> Topology::HasNamespace(const Uuid& uuid) const {
  TRY(const auto heads, Heads(""));
  std::optional<Error> unknown;
  for (const auto& head : heads) {
    const auto found = UuidIfAny(head.directory);
    if (!found) {
      unknown = found.error();
    } else if (*found == uuid) {
      return true;
    } else if (!*found && !sys_->Exists(head.directory + "/wwid") && sys_->Exists(head.directory)) {
      // Every kernel gives each namespace a wwid, an EUI-64 or serial number at the least.
      unknown =
          Error(ErrorCode::kInternal, "namespace '" + head.name + "' has no identity in sysfs");
    }
  }
  if (unknown) return *std::move(unknown);
  return false;
}

Result<std::optional<Uuid>> Topology::UuidIfAny(const std::string& directory) const {
  TRY(const auto text, sys_->AttributeIfAny(directory + "/uuid"));
  if (const auto uuid = Uuid::Parse(text.value_or("")); uuid && !uuid->IsNil()) {
    return std::optional(*uuid);
  }
  TRY(const auto wwid, sys_->AttributeIfAny(directory + "/wwid"));
  return FromWwid(wwid.value_or(""));
}

std::optional<Uuid> Topology::UuidOf(const std::string& directory) const {
  auto uuid = UuidIfAny(directory);
  return uuid ? std::move(uuid).value() : std::nullopt;
}

std::optional<ByteCount> Topology::SizeOf(std::string_view name) const {
  const auto sectors = sys_->Number(BlockDirectory(name) + "/size");
  if (!sectors || *sectors > std::numeric_limits<std::uint64_t>::max() / kSectorBytes) {
    return std::nullopt;
  }
  return ByteCount{*sectors * kSectorBytes};
}

std::string Topology::SubsystemNqnOf(std::string_view name) const {
  return sys_->Attribute(BlockDirectory(name) + "/device/subsysnqn").value_or("");
}

std::string Topology::ModelOf(std::string_view name) const {
  return sys_->Attribute(BlockDirectory(name) + "/device/model").value_or("");
}

std::optional<std::uint32_t> Topology::NsidOf(std::string_view name) const {
  const auto nsid = sys_->Number(BlockDirectory(name) + "/nsid");
  if (!nsid || *nsid == 0 || *nsid > std::numeric_limits<std::uint32_t>::max()) {
    return std::nullopt;
  }
  return static_cast<std::uint32_t>(*nsid);
}

Status Topology::RequireNativeMultipath() const {
  if (!sys_->Exists("module/nvme_core")) return {};  // not loaded yet: the default is on
  const auto value = sys_->Attribute("module/nvme_core/parameters/multipath");
  if (value == "Y" || value == "1") return {};
  return Error(ErrorCode::kUnsupported, "native NVMe multipath is off on this node")
      .With("nvme_core.multipath", value.value_or("not built into this kernel"))
      .Try(
          "remove nvme_core.multipath=N from the kernel command line and /etc/modprobe.d, and "
          "restart the node");
}

}  // namespace ontapnvme::nvme
