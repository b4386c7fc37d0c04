// SPDX-License-Identifier: AGPL-3.0-or-later
// A secret: wiped when it goes, cannot be printed, compared or converted to text by accident.
#pragma once

#include <string>
#include <string_view>

namespace ontapnvme {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : bytes_(text) {}
  Secret(const Secret&) = default;
  Secret& operator=(const Secret& other);
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  ~Secret();

  bool empty() const { return bytes_.empty(); }
  // The bytes, for the one place that has to send them. Never store, log or format the result.
  std::string_view Reveal() const { return bytes_; }

 private:
  void Wipe() noexcept;
  std::string bytes_;
};

// Overwrites the bytes of `text` in a way that the optimiser keeps, and empties it.
void WipeText(std::string& text) noexcept;

}  // namespace ontapnvme
