// Memory that a fork leaves out (MADV_DONTFORK in madvise(2)). What the keeper writes between two
// forks would otherwise be copied page by page, as the child before may still share it: a good part
// of what a spawn costs. Nothing that a child reads may live here.
#pragma once

#include <cstddef>

namespace foster::keeper {

/// Zeroed and page-aligned; null without memory.
[[nodiscard]] void* take_unforked(size_t bytes);
void release_unforked(void* memory, size_t bytes);

}  // namespace foster::keeper
