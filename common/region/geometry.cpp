#include "common/region/geometry.hpp"

#include "common/check.hpp"

namespace foster::region {
namespace {

constexpr uint64_t kAlignment = 64;  // a cache line

std::unexpected<Error> unusable(std::string_view why) {
  return failure("use the status region", why);
}

bool lies_within(uint64_t offset, uint64_t count, uint64_t size, uint64_t total) {
  return offset >= FOSTER_REGION_HEADER_SIZE && offset % sizeof(uint64_t) == 0 && offset <= total &&
         count * size <= total - offset;
}

}  // namespace

Geometry plan_geometry(uint32_t ring_capacity, uint32_t slot_count, uint32_t edge_count) {
  FOSTER_CHECK(ring_capacity >= 1 && ring_capacity <= kRingCapacityMax);
  FOSTER_CHECK(slot_count <= kSlotsMax && edge_count <= kEdgesMax);
  Geometry geometry{.slot_count = slot_count,
                    .ring_capacity = ring_capacity,
                    .edge_count = edge_count,
                    .ring_offset = FOSTER_REGION_HEADER_SIZE};
  const uint64_t ring_end = geometry.ring_offset + ring_capacity * sizeof(foster_event);
  geometry.slots_offset = (ring_end + kAlignment - 1) / kAlignment * kAlignment;
  geometry.edges_offset = geometry.slots_offset + slot_count * sizeof(foster_slot);
  geometry.total_size = geometry.edges_offset + edge_count * sizeof(foster_edge);
  return geometry;
}

Result<Geometry> read_geometry(const foster_region_header& header, uint64_t object_size) {
  if (header.magic != FOSTER_REGION_MAGIC) return unusable("it is not one of foster's");
  if (header.version != FOSTER_REGION_VERSION)
    return unusable("its version is " + std::to_string(header.version) + ", not " +
                    std::to_string(FOSTER_REGION_VERSION));
  if (header.header_size != FOSTER_REGION_HEADER_SIZE || header.slot_size != sizeof(foster_slot) ||
      header.event_size != sizeof(foster_event) || header.edge_size != sizeof(foster_edge))
    return unusable("it is damaged: its sizes are not those of its version");
  if (header.total_size > object_size)
    return unusable("it is cut short: " + std::to_string(object_size) + " bytes of " +
                    std::to_string(header.total_size));
  if (header.ring_capacity == 0 || header.ring_capacity > kRingCapacityMax ||
      header.slot_capacity > kSlotsMax || header.slot_count > header.slot_capacity ||
      !lies_within(header.ring_offset, header.ring_capacity, sizeof(foster_event),
                   header.total_size) ||
      !lies_within(header.slots_offset, header.slot_capacity, sizeof(foster_slot),
                   header.total_size) ||
      header.edge_count > kEdgesMax ||
      !lies_within(header.edges_offset, header.edge_count, sizeof(foster_edge), header.total_size))
    return unusable("it is damaged: its parts do not lie within it");
  return Geometry{.slot_count = header.slot_count,
                  .ring_capacity = header.ring_capacity,
                  .edge_count = header.edge_count,
                  .ring_offset = header.ring_offset,
                  .slots_offset = header.slots_offset,
                  .edges_offset = header.edges_offset,
                  .total_size = header.total_size};
}

void write_geometry(const Geometry& geometry, foster_region_header& header) {
  header.magic = FOSTER_REGION_MAGIC;
  header.version = FOSTER_REGION_VERSION;
  header.header_size = FOSTER_REGION_HEADER_SIZE;
  header.slot_size = sizeof(foster_slot);
  header.event_size = sizeof(foster_event);
  header.slot_capacity = geometry.slot_count;
  header.slot_count = geometry.slot_count;
  header.ring_capacity = geometry.ring_capacity;
  header.ring_offset = geometry.ring_offset;
  header.slots_offset = geometry.slots_offset;
  header.edges_offset = geometry.edges_offset;
  header.edge_count = geometry.edge_count;
  header.edge_size = sizeof(foster_edge);
  header.total_size = geometry.total_size;
}

}  // namespace foster::region
