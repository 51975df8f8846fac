// At most one deadline per unit, the earliest at hand: a binary heap that knows where each unit
// stands in it. Setting and clearing are O(log n) and allocate nothing. Equal deadlines come in
// order of unit.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/ids.hpp"
#include "common/instant.hpp"

namespace foster::core {

class Deadlines {
 public:
  explicit Deadlines(size_t units);

  /// {0} clears it.
  void set(UnitIndex unit, Instant at);
  void clear(UnitIndex unit);

  [[nodiscard]] std::optional<Instant> earliest() const;

  /// Takes out every deadline up to `now`, in order, into `due` (emptied first).
  void take_due(Instant now, std::vector<UnitIndex>& due);

 private:
  struct Entry {
    Instant at;
    UnitIndex unit;
    auto operator<=>(const Entry&) const = default;
  };

  void place(size_t position, Entry entry);
  void sift_up(size_t position);
  void sift_down(size_t position);
  void remove_at(size_t position);

  std::vector<Entry> heap_;
  std::vector<uint32_t> position_;  // by unit: its place in heap_ plus one; 0 = none
};

}  // namespace foster::core
