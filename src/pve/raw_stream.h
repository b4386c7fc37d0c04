// SPDX-License-Identifier: AGPL-3.0-or-later
// A block device as a stream of bytes, in the form "raw+size" that Proxmox moves volumes in: 8
// bytes little endian with the size in bytes, then the bytes. No budget: a disk takes as long as it
// takes; `interrupt` ends it (kInterrupted). File descriptors are borrowed and may be pipes.
#pragma once

#include <cstdint>
#include <string>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"

namespace ontapnvme::pve {

// Writes size and content of the device to `fd`. kConflict when the device ends early.
Status WriteStream(const std::string& device_path, int fd, Interrupt* interrupt);

// The size that the stream on `fd` begins with.
Result<ByteCount> ReadStreamSize(int fd, Interrupt* interrupt);

// Writes `size` bytes of `fd` to the device, which reads as zeros so far: blocks of zeros are left
// out. Returns when all of it has reached the device. kConflict when the stream ends early.
Status ReadStream(int fd, ByteCount size, const std::string& device_path, Interrupt* interrupt);

}  // namespace ontapnvme::pve
