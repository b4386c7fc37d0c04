// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/open_snapshots.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "base/files.h"

namespace ontapnvme::node {
namespace {

constexpr std::size_t kNoteMax = 4096;

std::int64_t Number(const std::string& text) {
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::optional<OpenSnapshot> Parse(const std::string& operation_id, const std::string& note) {
  auto lines = ParseLines(note);
  auto volume = VolumeName::Parse(lines["volume"]);
  auto snapshot = SnapshotName::Parse(lines["snapshot"]);
  if (!volume.ok() || !snapshot.ok()) return std::nullopt;
  return OpenSnapshot{.volume = std::move(*volume),
                      .snapshot = std::move(*snapshot),
                      .operation_id = operation_id,
                      .since_s = Number(lines["since_s"]),
                      .missed_s = Number(lines["missed_s"])};
}

std::vector<std::string> NamesIn(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    std::string name = entry.path().filename();
    // Not what another process is just writing.
    if (name.find('.') == std::string::npos) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

Status OpenSnapshots::Note(const OpenSnapshot& open) const {
  ::mkdir(parent_.c_str(), 0700);
  ::mkdir(directory_.c_str(), 0700);
  return ReplaceSmallFile(directory_ + "/" + open.operation_id,
                          "volume=" + open.volume.Text() + "\nsnapshot=" + open.snapshot.Text() +
                              "\nsince_s=" + std::to_string(open.since_s) +
                              "\nmissed_s=" + std::to_string(open.missed_s) + "\n");
}

std::vector<OpenSnapshot> OpenSnapshots::All() const {
  std::vector<OpenSnapshot> all;
  for (const auto& name : NamesIn(directory_)) {
    const auto note = ReadSmallFile(directory_ + "/" + name, kNoteMax);
    auto open = note ? Parse(name, *note) : std::nullopt;
    if (open) all.push_back(std::move(*open));
  }
  return all;
}

void OpenSnapshots::Forget(const std::string& operation_id) const {
  ::unlink((directory_ + "/" + operation_id).c_str());
}

void OpenSnapshots::ForgetAll() const {
  for (const auto& name : NamesIn(directory_)) Forget(name);
  ::rmdir(directory_.c_str());
}

}  // namespace ontapnvme::node
