// SPDX-License-Identifier: AGPL-3.0-or-later
// Identify, features, log pages and events.
#include "target_fixture.h"

namespace ontapnvme::sim::target {
namespace {

constexpr std::uint32_t kNamespaceEvent = 0x00040002;
constexpr std::uint32_t kAnaEvent = 0x000C0302;

Reply Identify(TestHost* host, std::uint32_t what, std::uint32_t nsid = 0) {
  return host->Do(Sqe(0x06, nsid).Dword(10, what).Transport(4096));
}
std::string Text(const Bytes& page, std::size_t offset, std::size_t length) {
  return {page.begin() + static_cast<std::ptrdiff_t>(offset),
          page.begin() + static_cast<std::ptrdiff_t>(offset + length)};
}
Bytes Of(const std::string& id) {
  const Identifier identifier = ParseIdentifier(id);
  return {identifier.begin(), identifier.end()};
}
void SendEventRequest(const TestHost& host, std::uint16_t id) {
  host.Send(Capsule(Sqe(0x0C).Id(id)));
}
Reply EnableEvents(TestHost* host, std::uint32_t events) {
  return host->Do(Sqe(0x09).Dword(10, 0x0B).Dword(11, events));
}

TEST_F(TargetTest, IdentifiesItsControllerAsOntap) {
  const auto host = Admin();
  const Bytes page = Identify(host.get(), 1).data;
  ASSERT_EQ(page.size(), 4096U);
  EXPECT_EQ(Text(page, 4, 20), "serial-1            ");
  EXPECT_EQ(Text(page, 24, 24), "NetApp ONTAP Controller ");
  EXPECT_EQ(Text(page, 64, 8), "9.16.1  ");
  EXPECT_EQ(page[76], 0x0B);  // ports, controllers, ANA
  EXPECT_EQ(page[77], 8);     // 1 MiB
  EXPECT_EQ(Load<std::uint16_t>(page, 78), controller_id_);
  EXPECT_EQ(Load<std::uint32_t>(page, 92), 0x900U);
  EXPECT_EQ(Load<std::uint32_t>(page, 516), 1024U);
  EXPECT_EQ(Text(page, 768, std::string(kNqn).size()), kNqn);
  EXPECT_EQ(Load<std::uint32_t>(page, 1792) * 16, 64 + kInCapsuleBytesMaximum);
}

TEST_F(TargetTest, IdentifiesItsNamespaces) {
  Attach(3, "11111111-2222-4333-8444-555555555555", "node-b");
  const auto host = Admin();
  const Bytes page = Identify(host.get(), 0, 1).data;
  EXPECT_EQ(Load<std::uint64_t>(page, 0), kSizeBytes / kBlockBytes);
  EXPECT_EQ(page[30], 1);    // shared
  EXPECT_EQ(page[130], 12);  // blocks of 4 KiB
  EXPECT_EQ(Load<std::uint32_t>(page, 92), 1U);
  EXPECT_EQ(Load<std::uint32_t>(Identify(host.get(), 0, 3).data, 92), 2U);
  EXPECT_EQ(Identify(host.get(), 0, 2).data, Bytes(4096));  // valid, and not attached

  const Bytes list = Identify(host.get(), 2, 0).data;
  EXPECT_EQ(Load<std::uint32_t>(list, 0), 1U);
  EXPECT_EQ(Load<std::uint32_t>(list, 4), 3U);
  EXPECT_EQ(Load<std::uint32_t>(list, 8), 0U);
  EXPECT_EQ(Load<std::uint32_t>(Identify(host.get(), 2, 1).data, 0), 3U);

  const Bytes descriptors = Identify(host.get(), 3, 1).data;
  EXPECT_EQ(Load<std::uint32_t>(descriptors, 0), 0x00001003U);  // UUID, 16 bytes
  EXPECT_EQ(Bytes(descriptors.begin() + 4, descriptors.begin() + 20), Of(kUuid));
  EXPECT_EQ(Load<std::uint32_t>(descriptors, 20), 0x00001002U);  // NGUID, 16 bytes
  EXPECT_EQ(Bytes(descriptors.begin() + 24, descriptors.begin() + 40), Of(kNguid));
  EXPECT_EQ(Load<std::uint32_t>(descriptors, 40), 0U);
}

TEST_F(TargetTest, RefusesAdminCommands) {
  const auto host = Admin();
  using enum StatusCode;
  const auto log = [](std::uint32_t dword) {
    return Sqe(0x02, 1).Dword(10, dword).Transport(4096);
  };
  const struct {
    const char* name;
    Sqe sqe;
    StatusCode status;
  } table[] = {
      {"a namespace beyond NN", Sqe(0x06, 1025).Transport(4096), kInvalidNamespace},
      {"every namespace", Sqe(0x06, kEveryNamespace).Transport(4096), kInvalidNamespace},
      {"descriptors of none", Sqe(0x06, 2).Dword(10, 3).Transport(4096), kInvalidNamespace},
      {"a list behind the last", Sqe(0x06, kEveryNamespace).Dword(10, 2).Transport(4096),
       kInvalidNamespace},
      {"a structure that is not there", Sqe(0x06, 1).Dword(10, 0x13).Transport(4096),
       kInvalidField},
      {"another command set", Sqe(0x06).Dword(10, 6).Dword(11, 2U << 24U).Transport(4096),
       kInvalidField},
      {"no room for the answer", Sqe(0x06).Dword(10, 1).Transport(512), kDataSglLengthInvalid},
      {"an unknown page", log(0x03FF00C1), kInvalidLogPage},
      {"labels of nothing", Sqe(0x02, 9).Dword(10, 0x03FF01C2).Transport(4096), kInvalidNamespace},
      {"labels of another kind", log(0x03FF02C2), kInvalidField},
      {"an offset behind the page", log(0x03FF0002).Dword(12, 1024), kInvalidField},
      {"an odd offset", log(0x03FF0002).Dword(12, 2), kInvalidField},
      {"a page of 256 MiB", log(0xFFFF0002).Dword(11, 0x3FF), kInvalidField},
      {"an unknown feature", Sqe(0x09).Dword(10, 0x7F), kInvalidField},
      {"an unknown feature to get", Sqe(0x0A).Dword(10, 0x7F), kInvalidField},
      {"another host id", Sqe(0x09).Dword(10, 0x81), kFeatureNotChangeable},
      {"too many queues", Sqe(0x09).Dword(10, 7).Dword(11, 0xFFFF), kInvalidField},
      {"formatting", Sqe(0x80, 1), kInvalidOpcode},
      {"a queue as over PCIe", Sqe(0x05), kInvalidOpcode},
  };
  for (const auto& row : table) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(host->Do(row.sqe).status, row.status);
  }
  EXPECT_EQ(host->Do(Sqe(0x08).Dword(10, 1)).result, 1U);  // nothing to abort
}

TEST_F(TargetTest, KeepsFeatures) {
  const auto host = Admin(kFirst, 5000);
  EXPECT_EQ(host->Do(Sqe(0x09).Dword(10, 7).Dword(11, 0x00030003)).result, 0x000F000FU);
  EXPECT_EQ(host->Do(Sqe(0x0A).Dword(10, 7)).result, 0x000F000FU);
  EXPECT_EQ(EnableEvents(host.get(), 0xFFFFFFFF).status, StatusCode::kSuccess);
  EXPECT_EQ(host->Do(Sqe(0x0A).Dword(10, 0x0B)).result, 0x900U);
  EXPECT_EQ(host->Do(Sqe(0x0A).Dword(10, 0x0F)).result, 5000U);
  EXPECT_EQ(host->Do(Sqe(0x09).Dword(10, 0x0F).Dword(11, 9000)).status, StatusCode::kSuccess);
  EXPECT_EQ(host->Do(Sqe(0x0A).Dword(10, 0x0F)).result, 9000U);
  EXPECT_EQ(host->Do(Sqe(0x0A).Dword(10, 0x06)).result, 1U);
  const Bytes id = host->Do(Sqe(0x0A).Dword(10, 0x81).Dword(11, 1).Transport(16)).data;
  ASSERT_EQ(id.size(), 16U);
  EXPECT_EQ(id[0], 0xAB);
}

TEST_F(TargetTest, ServesTheOrdinaryLogPages) {
  const auto host = Admin();
  EXPECT_EQ(LogPage(host.get(), 0x01, 64).data, Bytes(64));
  EXPECT_EQ(LogPage(host.get(), 0x02, 512).data.size(), 512U);
  EXPECT_EQ(Text(LogPage(host.get(), 0x03, 512).data, 8, 8), "9.16.1  ");
  const Bytes commands = LogPage(host.get(), 0x05, 4096).data;
  EXPECT_EQ(Load<std::uint32_t>(commands, 4 * 0x06), 1U);
  EXPECT_EQ(Load<std::uint32_t>(commands, 1024 + 4 * 0x01), 3U);
}

TEST_F(TargetTest, SaysWhichVolumeANamespaceIs) {
  const auto host = Admin();
  const auto element = [](const Bytes& page, std::size_t* at, std::uint8_t type) {
    EXPECT_EQ(page[*at], type);
    const std::size_t length = Load<std::uint16_t>(page, *at + 2) * 4U;
    const std::string text = Text(page, *at + 4, length);
    *at += 4 + length;
    return std::string(text.c_str());
  };
  const Bytes page = LogPage(host.get(), 0xC2, 4096, 1, 1).data;
  ASSERT_EQ(page.size(), 4096U);
  EXPECT_EQ(page[16] & 0xFU, 1U);
  std::size_t at = 32;
  EXPECT_EQ(element(page, &at, 0x11), "svm1");
  EXPECT_EQ(element(page, &at, 0x12), "vm_100_disk_0");
  EXPECT_EQ(element(page, &at, 0x13), "disk");
  EXPECT_EQ(element(page, &at, 0x14), "/vol/vm_100_disk_0/disk");
  EXPECT_EQ(Load<std::uint32_t>(page, at), 0U);

  fabric_->SetLabels(kNqn, 1, {"svm2", "other", "/vol/other/disk"}, "node-a");
  at = 32;
  EXPECT_EQ(element(LogPage(host.get(), 0xC2, 4096, 1, 1).data, &at, 0x11), "svm2");
}

TEST_F(TargetTest, AnaFollowsTheNodeOfThePortal) {
  Attach(2, "11111111-2222-4333-8444-555555555555", "node-b");
  const auto first = Admin();
  const auto second = Admin(kSecond);
  const auto states = [](TestHost* host) {
    const Bytes page = LogPage(host, 0x0C, 16 + 2 * 36).data;
    EXPECT_EQ(Load<std::uint16_t>(page, 8), 2U);             // groups
    EXPECT_EQ(Load<std::uint32_t>(page, 16), 1U);            // the first one's number
    EXPECT_EQ(Load<std::uint32_t>(page, 16 + 4), 1U);        // and members
    EXPECT_EQ(Load<std::uint32_t>(page, 16 + 32), 1U);       // NSID
    EXPECT_EQ(Load<std::uint32_t>(page, 16 + 36), 2U);       // the second one's number
    EXPECT_EQ(Load<std::uint32_t>(page, 16 + 36 + 32), 2U);  // NSID
    return std::pair<int, int>(page[16 + 16], page[16 + 36 + 16]);
  };
  EXPECT_EQ(states(first.get()), (std::pair<int, int>(1, 2)));
  EXPECT_EQ(states(second.get()), (std::pair<int, int>(2, 1)));
  // Groups only.
  const Bytes page = LogPage(first.get(), 0x0C, 16 + 2 * 32, 0, 1).data;
  EXPECT_EQ(Load<std::uint32_t>(page, 16 + 4), 0U);
  EXPECT_EQ(Load<std::uint32_t>(page, 16 + 32), 2U);
}

TEST_F(TargetTest, MapsUnmapsAndResizesRaiseAnEvent) {
  const auto host = Admin();
  EnableEvents(host.get(), kNamespaceNotices);
  SendEventRequest(*host, 100);
  Attach(7, "11111111-2222-4333-8444-555555555555");
  Reply event = host->Await();
  EXPECT_EQ(event.command_id, 100);
  EXPECT_EQ(event.result, kNamespaceEvent);

  // Until the page has been read, further changes wait.
  SendEventRequest(*host, 101);
  fabric_->Detach(kNqn, 7);
  std::filesystem::resize_file(File(1), 2 * kSizeBytes);
  fabric_->SizeChanged(kNqn, 1);
  EXPECT_EQ(host->Do(Sqe(0x18)).status, StatusCode::kSuccess);  // nothing came before it
  const Bytes changed = LogPage(host.get(), 0x04, 4096).data;
  EXPECT_EQ(Load<std::uint32_t>(changed, 0), 1U);
  EXPECT_EQ(Load<std::uint32_t>(changed, 4), 7U);
  EXPECT_EQ(Load<std::uint32_t>(changed, 8), 0U);
  EXPECT_EQ(Load<std::uint64_t>(Identify(host.get(), 0, 1).data, 0), 2 * kSizeBytes / kBlockBytes);
  EXPECT_EQ(Load<std::uint32_t>(Identify(host.get(), 2, 1).data, 0), 0U);

  fabric_->SizeChanged(kNqn, 1);
  event = host->Await();
  EXPECT_EQ(event.command_id, 101);
  EXPECT_EQ(event.result, kNamespaceEvent);
  // Reading with "retain" neither empties the list nor lets the next one through.
  const Sqe retaining = Sqe(0x02).Dword(10, 0x03FF8004).Transport(4096);
  EXPECT_EQ(Load<std::uint32_t>(host->Do(retaining).data, 0), 1U);
  EXPECT_EQ(Load<std::uint32_t>(LogPage(host.get(), 0x04, 4096).data, 0), 1U);
  EXPECT_EQ(Load<std::uint32_t>(LogPage(host.get(), 0x04, 4096).data, 0), 0U);
}

TEST_F(TargetTest, AVolumeThatMovesRaisesBothEvents) {
  const auto host = Admin();
  EnableEvents(host.get(), kNamespaceNotices | kAnaNotices);
  SendEventRequest(*host, 100);
  SendEventRequest(*host, 101);
  fabric_->SetLabels(kNqn, 1, {"svm1", "v", "/vol/v/n"}, "node-b");
  EXPECT_EQ(host->Await().result, kNamespaceEvent);
  EXPECT_EQ(host->Await().result, kAnaEvent);
  EXPECT_EQ(Load<std::uint32_t>(Identify(host.get(), 0, 1).data, 92), 2U);
}

TEST_F(TargetTest, EventsThatNobodyAskedForAreNotSent) {
  const auto host = Admin();
  SendEventRequest(*host, 100);
  Attach(2, "11111111-2222-4333-8444-555555555555");
  EXPECT_EQ(host->Do(Sqe(0x18)).status, StatusCode::kSuccess);
  for (std::uint16_t id = 101; id <= 103; ++id) SendEventRequest(*host, id);
  EXPECT_EQ(host->Do(Sqe(0x0C)).status, StatusCode::kAsyncEventLimitExceeded);
}

}  // namespace
}  // namespace ontapnvme::sim::target
