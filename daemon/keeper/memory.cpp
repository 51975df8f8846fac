#include "daemon/keeper/memory.hpp"

#include <sys/mman.h>

namespace foster::keeper {

void* take_unforked(size_t bytes) {
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
  madvise(memory, bytes, MADV_DONTFORK);  // without it things are slower, not wrong
  return memory;
}

void release_unforked(void* memory, size_t bytes) {
  if (memory != nullptr) munmap(memory, bytes);
}

}  // namespace foster::keeper
