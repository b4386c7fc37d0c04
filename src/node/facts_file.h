// SPDX-License-Identifier: AGPL-3.0-or-later
// What this node remembers of an array between processes, so that a new process starts without
// asking: one small file per storage in the state directory (0700). Nothing in it is secret, and no
// disk's identity depends on it. What the facts mean is the caller's business.
#pragma once

#include <map>
#include <optional>
#include <string>

namespace ontapnvme::node {

class FactsFile {
 public:
  using Facts = std::map<std::string, std::string>;

  // `settings_text` is what the facts depend on: those stored with another text are not returned.
  FactsFile(std::string directory, const std::string& storage_id, std::string settings_text)
      : directory_(std::move(directory)),
        path_(directory_ + "/" + storage_id + ".facts"),
        settings_text_(std::move(settings_text)) {}

  // Nothing when there is none, or it cannot be read whole.
  std::optional<Facts> Load() const;
  // The same, stored with whatever text.
  std::optional<Facts> LoadOfAnySettings() const;
  // Neither names nor values contain line breaks. Best effort: without it the next process asks the
  // array.
  void Store(const Facts& facts) const;
  void Forget() const;

 private:
  std::string directory_;
  std::string path_;
  std::string settings_text_;
};

}  // namespace ontapnvme::node
