// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/device_links.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace ontapnvme::node {
namespace {

std::optional<std::string> ReadLink(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  if (length <= 0 || length == static_cast<ssize_t>(target.size())) return std::nullopt;
  return std::string(target.data(), static_cast<std::size_t>(length));
}

Error LinkError(const std::string& link_name, const std::string& what, const std::string& path) {
  return Error(ErrorCode::kInternal, what + " '" + link_name + "'")
      .Because(std::strerror(errno))
      .With("path", path)
      .Try("check the file system of that path");
}

}  // namespace

Status DeviceLinks::Point(const std::string& link_name, const std::string& device_path) const {
  const std::string path = Path(link_name);
  if (ReadLink(path) == device_path) return {};
  ::mkdir(directory_.c_str(), 0755);
  ::mkdir(storage_directory_.c_str(), 0755);
  const std::string draft = path + ".new." + std::to_string(::getpid());
  ::unlink(draft.c_str());
  if (::symlink(device_path.c_str(), draft.c_str()) != 0 ||
      ::rename(draft.c_str(), path.c_str()) != 0) {
    const auto error = LinkError(link_name, "cannot make the device link", path);
    ::unlink(draft.c_str());
    return error;
  }
  return {};
}

std::optional<std::string> DeviceLinks::Target(const std::string& link_name) const {
  return ReadLink(Path(link_name));
}

Status DeviceLinks::Remove(const std::string& link_name) const {
  const std::string path = Path(link_name);
  if (::unlink(path.c_str()) == 0 || errno == ENOENT || errno == ENOTDIR) return {};
  return LinkError(link_name, "cannot remove the device link", path);
}

std::optional<SnapshotLink> ParseSnapshotLink(const std::string& link_name) {
  const std::size_t at = link_name.find('@');
  if (at == std::string::npos) return std::nullopt;
  auto volume = VolumeName::Parse(link_name.substr(0, at));
  auto snapshot = SnapshotName::ParseShown(link_name.substr(at + 1));
  if (!volume.ok() || !snapshot.ok()) return std::nullopt;
  return SnapshotLink{.volume = std::move(*volume), .snapshot = std::move(*snapshot)};
}

std::vector<SnapshotName> DeviceLinks::SnapshotsOf(const VolumeName& name) const {
  const std::string stem = name.LeafText() + "@";
  std::vector<SnapshotName> snapshots;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(storage_directory_, ignored)) {
    const std::string link = entry.path().filename();
    if (!link.starts_with(stem)) continue;
    auto snapshot = SnapshotName::ParseShown(std::string_view(link).substr(stem.size()));
    if (snapshot.ok()) snapshots.push_back(std::move(*snapshot));
  }
  return snapshots;
}

void DeviceLinks::RemoveUnless(
    const std::function<bool(const std::string& device_path)>& is_kept) const {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(storage_directory_, ignored)) {
    const auto device_path = ReadLink(entry.path());
    const bool is_there = device_path && ::access(device_path->c_str(), F_OK) == 0;
    if (!is_there || !is_kept(*device_path)) ::unlink(entry.path().c_str());
  }
  ::rmdir(storage_directory_.c_str());  // fails while a link is kept, as it should
}

}  // namespace ontapnvme::node
