// SPDX-License-Identifier: AGPL-3.0-or-later
// The Identify structures, each of 4096 bytes. Names of fields are the specification's.
#include <bit>

#include "pdu.h"
#include "queue.h"

namespace ontapnvme::sim::target {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr const char* kModel = "NetApp ONTAP Controller";

enum Cns : std::uint32_t {
  kNamespace = 0x00,
  kController = 0x01,
  kActiveNamespaces = 0x02,
  kDescriptors = 0x03,
  kCommandSetController = 0x06,
};

void StoreTransportFields(Bytes* page) {
  constexpr std::uint32_t kUnit = 16;
  constexpr std::size_t kCompletionBytes = 16;
  Store(*page, 1792,
        static_cast<std::uint32_t>((Command::kBytes + kInCapsuleBytesMaximum) / kUnit));  // IOCCSZ
  Store(*page, 1796, static_cast<std::uint32_t>(kCompletionBytes / kUnit));               // IORCSZ
  (*page)[1803] = 1;                                                                      // MSDBD
}

Bytes ControllerPage(const Controller& controller) {
  Bytes page(kPageBytes);
  const Subsystem& subsystem = controller.subsystem();
  StoreText(page, 4, 20, subsystem.serial);
  StoreText(page, 24, 40, kModel);
  StoreText(page, 64, 8, subsystem.firmware);
  page[73] = 0x98, page[74] = 0xA0;  // IEEE: NetApp's 00-A0-98, lowest byte first
  page[76] = 0x0B;                   // CMIC: several ports and controllers, ANA
  page[77] = kMdts;
  Store(page, 78, controller.identity().id);            // CNTLID
  Store(page, 80, std::uint32_t{0x00010400});           // VER
  Store(page, 92, kNamespaceNotices | kAnaNotices);     // OAES
  Store(page, 96, std::uint32_t{0x41});                 // CTRATT: 128-bit host id, TBKAS
  page[111] = 1;                                        // CNTRLTYPE: I/O
  page[258] = 3;                                        // ACL
  page[259] = kAsyncEventsMaximum - 1;                  // AERL
  page[260] = 0x03;                                     // FRMW: one read-only slot
  page[261] = 0x06;                                     // LPA: page 05h, offsets
  Store(page, 320, std::uint16_t{10});                  // KAS: seconds
  page[342] = 10;                                       // ANATT, seconds
  page[343] = 0x03;                                     // ANACAP: optimized, non-optimized
  Store(page, 344, std::uint32_t{kAnaGroupsMaximum});   // ANAGRPMAX
  Store(page, 348, std::uint32_t{kAnaGroupsMaximum});   // NANAGRPID
  page[512] = 0x66;                                     // SQES
  page[513] = 0x44;                                     // CQES
  Store(page, 514, kQueueEntriesMaximum);               // MAXCMD
  Store(page, 516, std::uint32_t{kNamespacesMaximum});  // NN
  Store(page, 520, std::uint16_t{0x0C});                // ONCS: DSM, write zeroes
  page[525] = 1;                                        // VWC
  Store(page, 536, std::uint32_t{0x00100001});          // SGLS: with offsets in the capsule
  Store(page, 540, std::uint32_t{kNamespacesMaximum});  // MNAN
  StoreText(page, 768, 256, subsystem.nqn, '\0');       // SUBNQN
  StoreTransportFields(&page);
  return page;
}

Bytes NamespacePage(const ExportedNamespace& ns) {
  Bytes page(kPageBytes);
  Store(page, 0, ns.size_blocks());       // NSZE
  Store(page, 8, ns.size_blocks());       // NCAP
  Store(page, 16, ns.AllocatedBlocks());  // NUSE
  page[24] = 0x01;                        // NSFEAT: thin
  page[30] = 0x01;                        // NMIC: shared
  page[33] = 0x09;                        // DLFEAT: reads as zeros; also for write zeroes
  Store(page, 92, static_cast<std::uint32_t>(ns.ana_group));
  std::copy(ns.nguid().begin(), ns.nguid().end(), page.begin() + 104);
  page[130] = static_cast<std::uint8_t>(std::countr_zero(ns.block_size_bytes()));  // LBADS
  return page;
}

// The NSIDs behind `after`, in order.
Bytes NamespaceList(const Subsystem& subsystem, std::uint32_t after) {
  Bytes page(kPageBytes);
  std::size_t at = 0;
  for (auto ns = subsystem.namespaces.upper_bound(after);
       ns != subsystem.namespaces.end() && at < page.size(); ++ns, at += 4) {
    Store(page, at, static_cast<std::uint32_t>(ns->first));
  }
  return page;
}

// ONTAP's order: the UUID is first, which its own tool relies on.
Bytes DescriptorPage(const ExportedNamespace& ns) {
  constexpr std::uint8_t kUuidType = 3;
  constexpr std::uint8_t kNguidType = 2;
  constexpr std::size_t kHeaderBytes = 4;
  Bytes page(kPageBytes);
  std::size_t at = 0;
  const auto add = [&](std::uint8_t type, const Identifier& id) {
    page[at] = type;
    page[at + 1] = static_cast<std::uint8_t>(id.size());
    std::copy(id.begin(), id.end(), page.begin() + static_cast<std::ptrdiff_t>(at + kHeaderBytes));
    at += kHeaderBytes + id.size();
  };
  add(kUuidType, ns.uuid());
  add(kNguidType, ns.nguid());
  return page;
}

}  // namespace

Answer Identify(const Queue& queue, const Command& command) {
  const Subsystem& subsystem = queue.controller->subsystem();
  const std::uint32_t nsid = command.Nsid();
  const bool is_nsid = nsid >= 1 && nsid <= kNamespacesMaximum;
  const ExportedNamespace* ns = subsystem.Find(nsid);
  switch (command.Dword(10) & 0xFFU) {
    case kNamespace:
      if (!is_nsid) return Refuse(StatusCode::kInvalidNamespace);
      // An NSID that nothing is attached to is valid, and all of its structure is zero.
      return Data(ns == nullptr ? Bytes(kPageBytes) : NamespacePage(*ns));
    case kController:
      return Data(ControllerPage(*queue.controller));
    case kActiveNamespaces:
      if (nsid >= kEveryNamespace - 1) return Refuse(StatusCode::kInvalidNamespace);
      return Data(NamespaceList(subsystem, nsid));
    case kDescriptors:
      if (ns == nullptr) return Refuse(StatusCode::kInvalidNamespace);
      return Data(DescriptorPage(*ns));
    case kCommandSetController:
      // Of the NVM command set: no limit beyond MDTS.
      if (command.Dword(11) >> 24U != 0) return Refuse(StatusCode::kInvalidField);
      return Data(Bytes(kPageBytes));
    default:
      return Refuse(StatusCode::kInvalidField);
  }
}

}  // namespace ontapnvme::sim::target
