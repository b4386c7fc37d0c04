// SPDX-License-Identifier: AGPL-3.0-or-later
// The ONTAP release that the simulator plays. All modelled releases are 9.N.1, so N says it all.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ontapnvme::sim {

struct Release {
  int major = 16;

  std::string Text() const { return "9." + std::to_string(major) + ".1"; }
  bool Has(int since) const { return since <= major; }

  // "9.16.1"; nothing for a release that is not modelled. 9.9.1 only tells its version, for clients
  // to refuse it: what it lacks against 9.10.1 is not in the field tables.
  static std::optional<Release> Parse(std::string_view text) {
    for (int major = 9; major <= 19; ++major) {
      if (const Release release{major}; release.Text() == text) return release;
    }
    return std::nullopt;
  }
};

}  // namespace ontapnvme::sim
