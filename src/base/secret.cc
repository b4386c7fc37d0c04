// SPDX-License-Identifier: AGPL-3.0-or-later
#include "base/secret.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace ontapnvme {

void* AllocateUndumped(std::size_t bytes) {
  void* const memory =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  ::madvise(memory, bytes, MADV_DONTDUMP);
  ::mlock(memory, bytes);  // a process may have reached its limit: then it may be swapped
  return memory;
}

void FreeUndumped(void* memory, std::size_t bytes) noexcept {
  explicit_bzero(memory, bytes);
  ::munmap(memory, bytes);
}

void WipeText(std::string& text) noexcept {
  text.resize(text.capacity());  // within the capacity: does not allocate, so it cannot throw
  explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace ontapnvme
