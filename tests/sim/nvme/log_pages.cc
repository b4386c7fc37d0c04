// SPDX-License-Identifier: AGPL-3.0-or-later
// The log pages: those a host of the specification asks for, and ONTAP's own.
#include <optional>

#include "pdu.h"
#include "queue.h"

namespace ontapnvme::sim::target {
namespace {

enum LogPage : std::uint32_t {
  kErrorInformation = 0x01,
  kSmart = 0x02,
  kFirmwareSlot = 0x03,
  kChangedNamespaces = 0x04,
  kCommandsSupported = 0x05,
  kAna = 0x0C,
  kOntapLabels = 0xC2,
};

// What a command asks of a page.
struct Request {
  std::uint32_t page = 0;
  std::uint32_t specific = 0;  // LSP
  bool retains_event = false;  // RAE
  std::uint64_t offset_bytes = 0;
  std::uint64_t length_bytes = 0;

  static Request Of(const Command& command) {
    const std::uint32_t dword = command.Dword(10);
    const std::uint64_t dwords = (dword >> 16U) | (command.Dword(11) & 0xFFFFULL) << 16U;
    return {dword & 0xFFU, (dword >> 8U) & 0xFU, (dword >> 15U & 1U) != 0, command.Dwords(12),
            (dwords + 1) * 4};
  }
};

Bytes SmartPage() {
  constexpr std::uint16_t kKelvin = 300;
  Bytes page(512);
  Store(page, 1, kKelvin);
  page[3] = 100;  // available spare, percent
  return page;
}

Bytes FirmwarePage(const Subsystem& subsystem) {
  Bytes page(512);
  page[0] = 1;  // AFI: slot 1
  StoreText(page, 8, 8, subsystem.firmware);
  return page;
}

// Never more than fit, since NSIDs end at that number.
Bytes ChangedNamespacePage(const std::set<unsigned>& nsids) {
  Bytes page(4096);
  std::size_t at = 0;
  for (const unsigned nsid : nsids) {
    Store(page, at, std::uint32_t{nsid});
    at += 4;
  }
  return page;
}

Bytes CommandsSupportedPage() {
  constexpr std::uint32_t kSupported = 1;
  constexpr std::uint32_t kChangesContent = 2;
  constexpr std::size_t kIoCommands = 1024;
  Bytes page(4096);
  for (const std::size_t opcode : {0x02U, 0x06U, 0x08U, 0x09U, 0x0AU, 0x0CU, 0x18U}) {
    Store(page, 4 * opcode, kSupported);
  }
  for (const std::size_t opcode : {0x00U, 0x02U}) {
    Store(page, kIoCommands + 4 * opcode, kSupported);
  }
  for (const std::size_t opcode : {0x01U, 0x08U, 0x09U}) {
    Store(page, kIoCommands + 4 * opcode, kSupported | kChangesContent);
  }
  return page;
}

// Every group, also an empty one: a host that meets its first namespace there knows the state then.
Bytes AnaPage(const TargetState& state, const Controller& controller, bool groups_only) {
  constexpr std::size_t kHeaderBytes = 16;
  constexpr std::size_t kDescriptorBytes = 32;
  constexpr std::uint8_t kOptimized = 0x01;
  constexpr std::uint8_t kNonOptimized = 0x02;
  Bytes page(kHeaderBytes);
  Store(page, 0, state.ana_groups.changes);
  Store(page, 8, static_cast<std::uint16_t>(state.ana_groups.size()));
  for (unsigned group = 1; group <= state.ana_groups.size(); ++group) {
    Bytes descriptor(kDescriptorBytes);
    Store(descriptor, 0, std::uint32_t{group});
    Store(descriptor, 8, state.ana_groups.changes);
    descriptor[16] = group == controller.identity().route.ana_group ? kOptimized : kNonOptimized;
    std::uint32_t members = 0;
    for (const auto& [nsid, ns] : controller.subsystem().namespaces) {
      if (groups_only || ns->ana_group != group) continue;
      descriptor.resize(descriptor.size() + 4);
      Store(descriptor, descriptor.size() - 4, std::uint32_t{nsid});
      ++members;
    }
    Store(descriptor, 4, members);
    Append(&page, descriptor);
  }
  // Tools read the largest page that there can be, in parts.
  page.resize(kHeaderBytes + kAnaGroupsMaximum * kDescriptorBytes +
              kNamespacesMaximum * sizeof(std::uint32_t));
  return page;
}

std::optional<Bytes> PageOf(const TargetState& state, Controller* controller,
                            const Request& request) {
  switch (request.page) {
    case kErrorInformation:
      return Bytes(64);
    case kSmart:
      return SmartPage();
    case kFirmwareSlot:
      return FirmwarePage(controller->subsystem());
    case kChangedNamespaces:
      return ChangedNamespacePage(controller->TakeChangedNamespaces(request.retains_event));
    case kCommandsSupported:
      return CommandsSupportedPage();
    case kAna:
      controller->AnaWasRead(request.retains_event);
      return AnaPage(state, *controller, (request.specific & 1U) != 0);
    default:
      return std::nullopt;
  }
}

// The part of the page that was asked for. What lies behind its end reads as zeros: the length of
// some pages is known only to who has read them.
Answer PartOf(const Bytes& page, const Request& request) {
  if (request.offset_bytes > page.size() || request.offset_bytes % 4 != 0) {
    return Refuse(StatusCode::kInvalidField);
  }
  Bytes part(page.begin() + static_cast<std::ptrdiff_t>(request.offset_bytes), page.end());
  part.resize(request.length_bytes);
  return Data(std::move(part));
}

}  // namespace

Bytes LabelPage(const TargetLabels& labels) {
  constexpr std::size_t kEchoOffset = 16;
  constexpr std::size_t kFirstElement = 32;
  constexpr std::size_t kUnitBytes = 4;
  Bytes page(kFirstElement);
  page[kEchoOffset] = 1;
  const auto add = [&page](std::uint8_t type, const std::string& name) {
    const std::size_t units = name.size() / kUnitBytes + 1;  // one byte of padding at least
    const std::size_t at = page.size();
    page.resize(at + kUnitBytes + units * kUnitBytes);
    page[at] = type;
    Store(page, at + 2, static_cast<std::uint16_t>(units));
    StoreText(page, at + kUnitBytes, name.size(), name);
  };
  const auto slash = labels.namespace_path.rfind('/');
  add(0x11, labels.svm_name);
  add(0x12, labels.volume_name);
  add(0x13, labels.namespace_path.substr(slash == std::string::npos ? 0 : slash + 1));
  add(0x14, labels.namespace_path);
  page.resize(4096);
  return page;
}

Answer GetLogPage(const TargetState& state, const Queue& queue, const Command& command) {
  const Request request = Request::Of(command);
  if (request.length_bytes > kTransferBytesMaximum) return Refuse(StatusCode::kInvalidField);
  if (request.page == kOntapLabels) {
    constexpr std::uint32_t kNamespaceInformation = 1;
    if (request.specific != kNamespaceInformation) return Refuse(StatusCode::kInvalidField);
    const ExportedNamespace* ns = queue.controller->subsystem().Find(command.Nsid());
    if (ns == nullptr) return Refuse(StatusCode::kInvalidNamespace);
    return PartOf(LabelPage(ns->labels), request);
  }
  const auto page = PageOf(state, queue.controller.get(), request);
  return page ? PartOf(*page, request) : Refuse(StatusCode::kInvalidLogPage);
}

}  // namespace ontapnvme::sim::target
