// The writer's objects: what a former manager left under the name, and how a new object takes the
// place of an old one without a moment in which the name leads to nothing or to something half
// built.
#pragma once

#include <optional>
#include <string>

#include "common/region/geometry.hpp"
#include "common/region/guard.hpp"
#include "common/region/shared_object.hpp"

namespace foster::region {

/// A mapped object of our own whose geometry was checked.
struct LiveObject {
  Mapping mapping;
  Parts<foster_region_header> parts;

  [[nodiscard]] foster_region_header& header() const { return parts.header(); }
};

/// What an object must be from for its content to be taken over.
struct Provenance {
  std::string boot_id;
  int32_t keeper_pid = 0;
  uint64_t keeper_start_ticks = 0;
};

/// What stands under a name.
struct Predecessor {
  std::optional<LiveObject> object;  // ours and of our version; nothing: there is none to speak of
  bool same_boot = false;            // so that the number of its guard means something
  bool adoptable = false;            // from `wanted`, and whole
};

/// An object of somebody else's is an error that says whose it is, unless we are root: then it is
/// to be replaced without being touched, since its owner could cut it short under us.
[[nodiscard]] Result<Predecessor> find_predecessor(const std::string& name,
                                                   const Provenance& wanted);

/// An object under the successor's name of `name`, with geometry and nothing else filled in.
[[nodiscard]] Result<LiveObject> build_successor(const std::string& name, const Geometry& geometry);

/// Gives the successor the name. `old` is marked retired before and its sleepers are woken before
/// and after: those that look between wait for the guard, which the caller holds, and look again.
/// So whoever sleeps on the old object learns of the new one, wherever we may be killed.
[[nodiscard]] Result<void> install_successor(const std::string& name, const LiveObject* old);

/// Removes what a manager left that was killed while it built a successor, and that object's guard
/// unless it is `kept`.
void discard_leftover(const std::string& name, int kept_semaphore);

/// Marks the object as replaced, or as the live one (again), and wakes all who sleep on it.
void set_retired(foster_region_header& header, bool retired);

/// Grows the generation by one and wakes all who sleep on it.
void announce_change(foster_region_header& header);

/// Makes every sequence number even. Each slot's current body is whole, see layout.h.
void mend_slots(const Parts<foster_region_header>& parts);

}  // namespace foster::region
