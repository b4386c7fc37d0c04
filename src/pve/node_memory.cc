// SPDX-License-Identifier: AGPL-3.0-or-later
#include "pve/node_memory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/unique_fd.h"
#include "pve/small_file.h"

namespace ontapnvme::pve {
namespace {

constexpr std::size_t kFileMax = 16 * 1024;
constexpr std::string_view kFormat = "1";  // raised when a field changes its meaning

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += text.empty() ? word : " " + word;
  return text;
}

// By these files the package's udev rule knows which namespaces are disks of guests. They outlive
// the storage, since another one may use the subsystem, and go with the next boot.
void NoteSubsystem(const std::string& directory, const std::string& nqn) {
  if (nqn.empty() || nqn.find('/') != std::string::npos) return;
  const std::string folder = directory + "/subsystems";
  ::mkdir(folder.c_str(), 0700);
  const UniqueFd file(
      ::open((folder + "/" + nqn).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
}

}  // namespace

std::optional<ArrayFacts> NodeMemory::Load() const {
  const auto text = ReadSmallFile(Path(), kFileMax);
  if (!text) return std::nullopt;
  auto fields = ParseLines(*text);
  // The last line says that the file is whole.
  if (fields["format"] != kFormat || fields["settings"] != settings_text_ || fields["end"] != "1") {
    return std::nullopt;
  }
  const auto release = ontap::Release::Parse(fields["release"]);
  const auto svm = Uuid::Parse(fields["svm_uuid"]);
  const auto subsystem = Uuid::Parse(fields["subsystem_uuid"]);
  if (!release || !svm || !subsystem || fields["subsystem_nqn"].empty()) return std::nullopt;
  ArrayFacts facts{.release = *release,
                   .svm_uuid = *svm,
                   .subsystem_uuid = *subsystem,
                   .subsystem_nqn = fields["subsystem_nqn"],
                   .host_nqn = fields["host_nqn"],
                   .lif_addresses = Split(fields["lifs"]),
                   .is_aggregate_encrypted = fields["aggregate_encrypted"] == "1"};
  const std::string& read_at = fields["read_at"];
  std::from_chars(read_at.data(), read_at.data() + read_at.size(), facts.read_at_s);
  return facts;
}

void NodeMemory::Store(const ArrayFacts& facts) const {
  const std::string text =
      "format=" + std::string(kFormat) + "\nsettings=" + settings_text_ +
      "\nrelease=" + facts.release.Text() + "\nsvm_uuid=" + facts.svm_uuid.Text() +
      "\nsubsystem_uuid=" + facts.subsystem_uuid.Text() + "\nsubsystem_nqn=" + facts.subsystem_nqn +
      "\nhost_nqn=" + facts.host_nqn + "\nlifs=" + Join(facts.lif_addresses) +
      "\naggregate_encrypted=" + (facts.is_aggregate_encrypted ? "1" : "0") +
      "\nread_at=" + std::to_string(facts.read_at_s) + "\nend=1\n";
  ::mkdir(directory_.c_str(), 0700);
  NoteSubsystem(directory_, facts.subsystem_nqn);
  // Best effort: without it the next process asks the array.
  (void)ReplaceSmallFile(Path(), text);
}

void NodeMemory::Forget() const {
  ::unlink(Path().c_str());
}

}  // namespace ontapnvme::pve
