// SPDX-License-Identifier: AGPL-3.0-or-later
#include "node/facts_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string_view>

#include "base/files.h"

namespace ontapnvme::node {
namespace {

constexpr std::size_t kFileMax = std::size_t{16} * 1024;
constexpr std::string_view kFormat = "1";  // raised when a field changes its meaning

}  // namespace

std::optional<FactsFile::Facts> FactsFile::Load() const {
  auto facts = LoadOfAnySettings();
  if (!facts || (*facts)["settings"] != settings_text_) return std::nullopt;
  facts->erase("settings");
  return facts;
}

std::optional<FactsFile::Facts> FactsFile::LoadOfAnySettings() const {
  const auto text = ReadSmallFile(path_, kFileMax);
  if (!text) return std::nullopt;
  auto facts = ParseLines(*text);
  // The last line says that the file is whole.
  if (facts["format"] != kFormat || facts["end"] != "1") return std::nullopt;
  for (const char* own : {"format", "end"}) facts.erase(own);
  return facts;
}

void FactsFile::Store(const Facts& facts) const {
  std::string text = "format=" + std::string(kFormat) + "\nsettings=" + settings_text_ + "\n";
  for (const auto& [name, value] : facts) text += name + "=" + value + "\n";
  text += "end=1\n";
  ::mkdir(directory_.c_str(), 0700);
  (void)ReplaceSmallFile(path_, text);
}

void FactsFile::Forget() const {
  ::unlink(path_.c_str());
}

}  // namespace ontapnvme::node
