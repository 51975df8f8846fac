// Where things are in an object of the status region, and whether an object that was found makes
// sense.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>

#include "common/region/layout.h"
#include "common/result.hpp"

namespace foster::region {

/// Limits that keep every computed offset far from an overflow. They are part of what "sane" means.
inline constexpr uint32_t kSlotsMax = 1u << 20;
inline constexpr uint32_t kRingCapacityMax = 1u << 20;
inline constexpr uint32_t kEdgesMax = 1u << 24;
inline constexpr uint64_t kObjectSizeMax =
    FOSTER_REGION_HEADER_SIZE + 64 + uint64_t{kRingCapacityMax} * sizeof(foster_event) +
    uint64_t{kSlotsMax} * sizeof(foster_slot) + uint64_t{kEdgesMax} * sizeof(foster_edge);

struct Geometry {
  uint32_t slot_count = 0;
  uint32_t ring_capacity = 0;
  uint32_t edge_count = 0;
  uint64_t ring_offset = 0;
  uint64_t slots_offset = 0;
  uint64_t edges_offset = 0;
  uint64_t total_size = 0;
};

[[nodiscard]] Geometry plan_geometry(uint32_t ring_capacity, uint32_t slot_count,
                                     uint32_t edge_count);

/// The geometry that a header claims, once it is sure that all of it lies within `object_size`
/// bytes. An error says what is wrong with the object.
[[nodiscard]] Result<Geometry> read_geometry(const foster_region_header& header,
                                             uint64_t object_size);

void write_geometry(const Geometry& geometry, foster_region_header& header);

/// The parts of a mapped object whose geometry was checked.
template <class Header>  // foster_region_header, const for readers
class Parts {
  template <class Part>
  using Like = std::conditional_t<std::is_const_v<Header>, const Part, Part>;

 public:
  Parts() = default;
  Parts(Like<void>* base, const Geometry& geometry)
      : base_(static_cast<Like<char>*>(base)), geometry_(geometry) {}

  [[nodiscard]] const Geometry& geometry() const { return geometry_; }
  [[nodiscard]] Header& header() const { return *reinterpret_cast<Header*>(base_); }
  [[nodiscard]] Like<foster_slot>& slot(uint32_t index) const {
    return reinterpret_cast<Like<foster_slot>*>(base_ + geometry_.slots_offset)[index];
  }
  [[nodiscard]] std::span<Like<foster_edge>> edges() const {
    auto* first = reinterpret_cast<Like<foster_edge>*>(base_ + geometry_.edges_offset);
    return {first, geometry_.edge_count};
  }
  [[nodiscard]] Like<foster_event>& event(uint64_t number) const {
    auto* ring = reinterpret_cast<Like<foster_event>*>(base_ + geometry_.ring_offset);
    return ring[number % geometry_.ring_capacity];
  }

 private:
  Like<char>* base_ = nullptr;
  Geometry geometry_;
};

}  // namespace foster::region
