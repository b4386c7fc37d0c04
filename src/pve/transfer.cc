// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/transfer.h"

#include "node/raw_stream.h"

namespace ontapnvme::pve {

// Activation proves the device once more: what a link points at may have changed since.
Status Transfer::Export(const VolumeName& name, const std::optional<SnapshotName>& snapshot, int fd,
                        const Deadline& activation) {
  TRY(const auto path, snapshot ? snapshots_.ActivateSnapshot(name, *snapshot, activation)
                                : volumes_.ActivateVolume(name, activation));
  const auto sent = node::WriteStream(path, fd, interrupt_);
  if (!sent.ok()) return sent.error().Wrap("cannot export volume '" + name.Text() + "'");
  return {};
}

Result<std::uint64_t> Transfer::ReadImportSize(int fd) {
  TRY(const auto size, node::ReadStreamSize(fd, interrupt_));
  return size.bytes();
}

Status Transfer::Import(const VolumeName& name, std::uint64_t size_bytes, int fd,
                        const Deadline& activation) {
  TRY(const auto path, volumes_.ActivateVolume(name, activation));
  const auto received = node::ReadStream(fd, ByteCount{size_bytes}, path, interrupt_);
  if (!received.ok()) return received.error().Wrap("cannot import volume '" + name.Text() + "'");
  return {};
}

}  // namespace ontapnvme::pve
