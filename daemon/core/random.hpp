// The core's only source of chance: seeded, so that the same run can be had again. The algorithm is
// SplitMix64 (Steele, Lea, Flood 2014), which needs one word of state and accepts any seed.
#pragma once

#include <cstdint>

namespace foster::core {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15U;
    uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9U;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebU;
    return mixed ^ (mixed >> 31);
  }

  /// At least 0, less than 1: the upper 53 bits, which a double holds exactly.
  double fraction() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_;
};

}  // namespace foster::core
