// SPDX-License-Identifier: AGPL-3.0-or-later
// Which disks a storage shows, as text: those of one SVM whose names begin with one prefix.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/uuid.h"

namespace ontapnvme::catalogue::flexvol {

struct StorageIdentity {
  Uuid svm;
  std::string prefix;

  std::string Text() const { return std::string(kStem) + svm.Text() + ":" + prefix; }
  // Nothing for what Text() does not write.
  static std::optional<StorageIdentity> Parse(std::string_view text) {
    if (!text.starts_with(kStem)) return std::nullopt;
    text.remove_prefix(kStem.size());
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto svm = Uuid::Parse(text.substr(0, colon));
    if (!svm) return std::nullopt;
    return StorageIdentity{.svm = *svm, .prefix = std::string(text.substr(colon + 1))};
  }

 private:
  static constexpr std::string_view kStem = "ontapnvme:";
};

}  // namespace ontapnvme::catalogue::flexvol
