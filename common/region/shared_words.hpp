// Access to memory that another process reads or writes at the same time, free of data races by the
// C++ memory model. There are no fences here, on purpose: every word of shared data is stored with
// release and loaded with acquire order, so that a reader that sees any word of a later write also
// sees the odd sequence number that was stored before it. On x86-64 these are ordinary moves, and
// ThreadSanitizer, which knows nothing of fences, understands them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace foster::region {

template <class Word>
[[nodiscard]] inline Word load(const Word& word,
                               std::memory_order order = std::memory_order_acquire) {
  // atomic_ref wants a mutable object even for a load; nothing is written, a read-only map will do.
  return std::atomic_ref<Word>(const_cast<Word&>(word)).load(order);
}

template <class Word>
inline void store(Word& word, std::type_identity_t<Word> value,
                  std::memory_order order = std::memory_order_release) {
  std::atomic_ref<Word>(word).store(value, order);
}

/// The structs of layout.h are copied as 8-byte words, whatever their fields are.
using CopyWord [[gnu::may_alias]] = uint64_t;

template <class Struct>
inline void load_struct(const Struct& shared, Struct& into) {
  static_assert(sizeof(Struct) % sizeof(CopyWord) == 0 && alignof(Struct) == alignof(uint64_t));
  static_assert(std::is_trivially_copyable_v<Struct>);
  const auto* from = reinterpret_cast<const CopyWord*>(&shared);
  auto* to = reinterpret_cast<CopyWord*>(&into);
  for (size_t i = 0; i < sizeof(Struct) / sizeof(CopyWord); ++i)
    to[i] = __atomic_load_n(from + i, __ATOMIC_ACQUIRE);
}

template <class Struct>
inline void store_struct(Struct& shared, const Struct& value) {
  static_assert(sizeof(Struct) % sizeof(CopyWord) == 0 && alignof(Struct) == alignof(uint64_t));
  static_assert(std::is_trivially_copyable_v<Struct>);
  auto* to = reinterpret_cast<CopyWord*>(&shared);
  const auto* from = reinterpret_cast<const CopyWord*>(&value);
  for (size_t i = 0; i < sizeof(Struct) / sizeof(CopyWord); ++i)
    __atomic_store_n(to + i, from[i], __ATOMIC_RELEASE);
}

}  // namespace foster::region
