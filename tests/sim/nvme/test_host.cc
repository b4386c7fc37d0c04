// SPDX-License-Identifier: AGPL-3.0-or-later
#include "test_host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>

namespace ontapnvme::sim::target {
namespace {

constexpr int kPatienceMs = 10'000;  // far beyond what a loaded machine needs

}  // namespace

Sqe FabricsConnect(std::uint16_t queue_id, std::uint32_t keep_alive_ms) {
  Sqe sqe(Command::kFabricsOpcode);
  sqe.bytes[4] = 0x01;
  sqe.At(42, queue_id).At(44, std::uint16_t{31}).At(48, keep_alive_ms).InCapsule(1024);
  return sqe;
}

Bytes ConnectData(const std::string& nqn, const std::string& host_nqn, std::uint16_t controller_id,
                  std::uint8_t host_id) {
  Bytes data(1024);
  data[0] = host_id;  // its first byte
  Store(data, 16, controller_id);
  StoreText(data, 256, nqn.size(), nqn);
  StoreText(data, 512, host_nqn.size(), host_nqn);
  return data;
}

Sqe PropertyGet(std::uint32_t offset, bool is_eight_bytes) {
  Sqe sqe(Command::kFabricsOpcode);
  sqe.bytes[4] = 0x04;
  sqe.bytes[40] = is_eight_bytes ? 1 : 0;
  return sqe.At(44, offset);
}

Sqe PropertySet(std::uint32_t offset, std::uint32_t value) {
  Sqe sqe(Command::kFabricsOpcode);
  return sqe.At(44, offset).At(48, value);
}

Sqe Io(std::uint8_t opcode, std::uint32_t nsid, std::uint64_t first_block, std::uint32_t blocks) {
  Sqe sqe(opcode, nsid);
  return sqe.At(40, first_block).Dword(12, blocks - 1);
}

Bytes Pdu(PduType type, std::uint8_t flags, std::size_t header_bytes, View data) {
  Bytes pdu(header_bytes);
  pdu[0] = static_cast<std::uint8_t>(type);
  pdu[1] = flags;
  pdu[2] = static_cast<std::uint8_t>(header_bytes);
  pdu[3] = static_cast<std::uint8_t>(data.empty() ? 0 : header_bytes);
  Store(pdu, 4, static_cast<std::uint32_t>(header_bytes + data.size()));
  Append(&pdu, data);
  return pdu;
}

Bytes IcReq() {
  return Pdu(PduType::kIcReq, 0, kIcBytes);
}

Bytes Capsule(const Sqe& sqe, View inside) {
  Bytes pdu = Pdu(PduType::kCapsuleCmd, 0, kCapsuleCmdHeaderBytes, inside);
  std::copy(sqe.bytes.begin(), sqe.bytes.end(), pdu.begin() + kCommonHeaderBytes);
  return pdu;
}

Bytes H2cData(const DataRange& range, View data, std::uint8_t flags) {
  Bytes pdu = Pdu(PduType::kH2cData, flags, kDataHeaderBytes, data);
  Store(pdu, 8, range.command_id);
  Store(pdu, 10, range.transfer_tag);
  Store(pdu, 12, range.offset_bytes);
  Store(pdu, 16, range.length_bytes);
  return pdu;
}

TestHost::TestHost(const std::string& address, std::uint16_t port)
    : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  ::inet_pton(AF_INET, address.c_str(), &to.sin_addr);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) {
    ::close(fd_);
    throw std::runtime_error("nobody listens at " + address);
  }
}

TestHost::~TestHost() {
  ::close(fd_);
}

void TestHost::Send(View bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return;  // it shows in what is received
    bytes = bytes.subspan(static_cast<std::size_t>(sent));
  }
}

bool TestHost::HasInput(int timeout_ms) const {
  pollfd waiting{fd_, POLLIN, 0};
  return ::poll(&waiting, 1, timeout_ms) > 0;
}

Bytes TestHost::Receive() const {
  Bytes pdu;
  std::size_t wanted = kCommonHeaderBytes;
  while (pdu.size() < wanted) {
    if (!HasInput(kPatienceMs)) throw std::runtime_error("the target is silent");
    const std::size_t at = pdu.size();
    pdu.resize(wanted);
    const ssize_t got = ::recv(fd_, pdu.data() + at, wanted - at, 0);
    if (got <= 0) return {};
    pdu.resize(at + static_cast<std::size_t>(got));
    if (pdu.size() >= kCommonHeaderBytes) wanted = Load<std::uint32_t>(pdu, 4);
  }
  return pdu;
}

void TestHost::Initialize() const {
  Send(IcReq());
  const Bytes pdu = Receive();
  if (pdu.size() != kIcBytes || pdu[0] != 1) throw std::runtime_error("no ICResp");
}

Reply TestHost::Do(Sqe sqe, View data, View inside) {
  const std::uint16_t id = ++last_id_;
  sqe.Id(id);
  Send(Capsule(sqe, inside));
  const Reply reply = Await(data);
  if (reply.command_id != id) throw std::runtime_error("the answer to another command");
  return reply;
}

Reply TestHost::Await(View data) const {
  Reply reply;
  for (;;) {
    const Bytes pdu = Receive();
    if (pdu.empty()) throw std::runtime_error("the target has closed the connection");
    const View fields = pdu;
    switch (static_cast<PduType>(pdu[0])) {
      case PduType::kC2hData:
        Append(&reply.data, fields.subspan(kDataHeaderBytes));
        break;
      case PduType::kR2t: {
        DataRange range = ParseH2cData(fields);
        const View wanted = data.subspan(range.offset_bytes, range.length_bytes);
        // In pieces, as a host does whose data exceeds MAXH2CDATA.
        for (std::size_t done = 0; done < wanted.size(); done += kMaxH2cDataBytes) {
          const View part =
              wanted.subspan(done, std::min<std::size_t>(kMaxH2cDataBytes, wanted.size() - done));
          const bool is_last = done + part.size() == wanted.size();
          range.offset_bytes = static_cast<std::uint32_t>(done);
          range.length_bytes = static_cast<std::uint32_t>(part.size());
          Send(H2cData(range, part, is_last ? kLastPdu : 0));
        }
        break;
      }
      case PduType::kCapsuleResp: {
        const auto status = static_cast<std::uint16_t>(Load<std::uint16_t>(fields, 22) >> 1U);
        reply.status = static_cast<StatusCode>(status & 0x7FFU);
        reply.may_retry = (status & 0x4000U) == 0;
        reply.result = Load<std::uint64_t>(fields, 8);
        reply.queue_head = Load<std::uint16_t>(fields, 16);
        reply.command_id = Load<std::uint16_t>(fields, 20);
        return reply;
      }
      default:
        throw std::runtime_error("a PDU of type " + std::to_string(pdu[0]));
    }
  }
}

std::uint16_t TestHost::FatalStatusAtEnd() const {
  std::uint16_t status = 0;
  for (Bytes pdu = Receive(); !pdu.empty(); pdu = Receive()) {
    if (pdu[0] == static_cast<std::uint8_t>(PduType::kC2hTermReq)) {
      status = Load<std::uint16_t>(pdu, 8);
    }
  }
  return status;
}

}  // namespace ontapnvme::sim::target
