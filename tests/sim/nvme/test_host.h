// SPDX-License-Identifier: AGPL-3.0-or-later
// A small NVMe/TCP host for tests: one blocking connection, which sends what it is told, right or
// wrong.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>

#include "pdu.h"
#include "wire.h"

namespace ontapnvme::sim::target {

// For the messages of tests: status code type and status code as one number.
inline void PrintTo(StatusCode status, std::ostream* out) {
  *out << "status 0x" << std::hex << static_cast<unsigned>(status) << std::dec;
}

// A submission queue entry under construction.
class Sqe {
 public:
  explicit Sqe(std::uint8_t opcode, std::uint32_t nsid = 0) : bytes(Command::kBytes) {
    bytes[0] = opcode;
    bytes[1] = 0x40;   // SGL
    bytes[39] = 0x5A;  // of no data, as hosts describe it
    Store(bytes, 4, nsid);
  }
  template <typename T>
  Sqe& At(std::size_t offset, T value) {
    Store(bytes, offset, value);
    return *this;
  }
  Sqe& Dword(std::size_t number, std::uint32_t value) { return At(4 * number, value); }
  Sqe& Id(std::uint16_t id) { return At(2, id); }
  // The data pointer of a transfer, or of what is in the capsule.
  Sqe& Transport(std::size_t length_bytes) { return Point(length_bytes, 0x5A); }
  Sqe& InCapsule(std::size_t length_bytes) { return Point(length_bytes, 0x01); }

  Bytes bytes;

 private:
  Sqe& Point(std::size_t length_bytes, std::uint8_t type) {
    At(32, static_cast<std::uint32_t>(length_bytes));
    bytes[39] = type;
    return *this;
  }
};

Sqe FabricsConnect(std::uint16_t queue_id, std::uint32_t keep_alive_ms = 0);
Bytes ConnectData(const std::string& nqn, const std::string& host_nqn,
                  std::uint16_t controller_id = 0xFFFF, std::uint8_t host_id = 0xAB);
Sqe PropertyGet(std::uint32_t offset, bool is_eight_bytes = false);
Sqe PropertySet(std::uint32_t offset, std::uint32_t value);
// Read, write and write zeroes of blocks.
Sqe Io(std::uint8_t opcode, std::uint32_t nsid, std::uint64_t first_block, std::uint32_t blocks);

Bytes Pdu(PduType type, std::uint8_t flags, std::size_t header_bytes, View data = {});
Bytes IcReq();
Bytes Capsule(const Sqe& sqe, View inside = {});
Bytes H2cData(const DataRange& range, View data, std::uint8_t flags);

struct Reply {
  StatusCode status = StatusCode::kSuccess;
  bool may_retry = true;
  std::uint64_t result = 0;
  std::uint16_t command_id = 0;
  std::uint16_t queue_head = 0;
  Bytes data;
};

class TestHost {
 public:
  // Throws when nobody listens.
  TestHost(const std::string& address, std::uint16_t port);
  ~TestHost();
  TestHost(const TestHost&) = delete;
  TestHost& operator=(const TestHost&) = delete;

  void Send(View bytes) const;
  // The next PDU; empty when the other side has closed. Throws after ten seconds of silence.
  Bytes Receive() const;
  // Whether something comes, or the connection ends, within that time.
  bool HasInput(int timeout_ms) const;

  void Initialize() const;
  // Sends a command and answers its R2Ts from `data` until it completes. `inside`: in the capsule.
  Reply Do(Sqe sqe, View data = {}, View inside = {});
  // Everything up to the next completion, whichever command's it is.
  Reply Await(View data = {}) const;
  // Of a connection that must end: the status of its TermReq; 0 when it ends without one.
  std::uint16_t FatalStatusAtEnd() const;

 private:
  int fd_;
  std::uint16_t last_id_ = 0x4000;
};

}  // namespace ontapnvme::sim::target
