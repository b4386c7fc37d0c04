// SPDX-License-Identifier: AGPL-3.0-or-later
// A secret: wiped when it goes, left out of core files and swap, cannot be printed, compared or
// converted to text by accident.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ontapnvme {

// Memory of its own pages, which the kernel leaves out of core files and, as far as the limit for
// locked memory goes, out of swap. Wiped before it is given back. Throws when there is none.
void* AllocateUndumped(std::size_t bytes);
void FreeUndumped(void* memory, std::size_t bytes) noexcept;

template <typename T>
struct UndumpedAllocator {
  using value_type = T;
  T* allocate(std::size_t count) { return static_cast<T*>(AllocateUndumped(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) noexcept {
    FreeUndumped(memory, count * sizeof(T));
  }
  bool operator==(const UndumpedAllocator&) const = default;
};

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text) : bytes_(text.begin(), text.end()) {}

  bool empty() const { return bytes_.empty(); }
  // The bytes, for the one place that has to send them. Never store, log or format the result.
  std::string_view Reveal() const { return {bytes_.data(), bytes_.size()}; }

 private:
  // Not a string: that keeps short texts inside of itself, wherever it stands.
  std::vector<char, UndumpedAllocator<char>> bytes_;
};

// Overwrites the bytes of `text` in a way that the optimiser keeps, and empties it.
void WipeText(std::string& text) noexcept;

}  // namespace ontapnvme
