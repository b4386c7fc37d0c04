// SPDX-License-Identifier: AGPL-3.0-or-later
// A block device as a stream of bytes, in the format "raw+size" in which Proxmox moves volumes: 8
// bytes little endian with the size in bytes, then the bytes. There is no budget, since a disk takes
// as long as it takes; `interrupt`, which may be null, ends it (kInterrupted). File descriptors are
// borrowed and may be pipes.
#pragma once

#include <cstdint>
#include <string>

#include "base/byte_count.h"
#include "base/deadline.h"
#include "base/result.h"

namespace ontapnvme::node {

// Writes size and content of the device to `fd`. kConflict when the device ends early.
Status WriteStream(const std::string& device_path, int fd, Interrupt* interrupt);

// The size that the stream on `fd` begins with. kInvalidArgument for what cannot be one.
Result<ByteCount> ReadStreamSize(int fd, Interrupt* interrupt);

// Writes `size` bytes of `fd` to the device, all of which reads as zeros before: blocks of zeros are
// left out. Returns when everything has reached the device. kConflict when the stream ends early.
Status ReadStream(int fd, ByteCount size, const std::string& device_path, Interrupt* interrupt);

}  // namespace ontapnvme::node
