// Any program's side of the status region (layout.h), fosterctl's first of all. Read-only mapping,
// no request to anyone. Copies cost no system call unless a write is under way at that very moment.
//
// An object's layout never changes while it lives: a new layout comes as a new object under the
// name, and the old one, retired, keeps its last content. So indices stay right until the caller
// calls refresh(). Nothing that stands in the object is trusted: wrong sizes, offsets and strings
// are errors. Only its owner can cut it short under its readers, which kills them (SIGBUS).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/instant.hpp"
#include "common/region/layout.h"
#include "common/result.hpp"

namespace foster::region {

/// What can be told of the daemon's processes from the region and /proc alone.
enum class Liveness {
  alive,
  busy,    // in one turn of its loop for longer than a second: it hangs
  frozen,  // stopped by a signal or a debugger (state T or t in /proc/<pid>/stat)
  dead,    // no such process (or its pid belongs to another now)
};

/// A copy of a slot is always whole: one state of the unit, never a mixture of two. At most one of
/// the flags is set; then a newer state was being written, and this is the last whole one.
struct SlotView {
  uint32_t index = 0;
  std::string name;
  foster_slot_body body{};
  bool writer_died = false;   // the manager died in the midst of the write
  bool writer_stuck = false;  // it does not get on with it: stopped by a signal, for one
};

class Reader {
 public:
  /// system_error is ENOENT when there is no such object: no daemon runs, or ran, here.
  /// An object from another boot, of a version that we do not know, or of an owner other than
  /// `owner` (nor root) is an error that says so.
  static Result<Reader> open(const std::string& object_name, uint32_t owner_uid);

  Reader(Reader&&) noexcept;
  Reader& operator=(Reader&&) noexcept;
  ~Reader();

  /// A copy of the header. Its fields are single words; only slots and events need more care.
  [[nodiscard]] foster_region_header header() const;
  [[nodiscard]] uint32_t generation() const;

  [[nodiscard]] uint32_t slot_count() const;
  /// A whole copy of one slot. Sleeps while the slot is being written, 200 ms at most and that only
  /// once while the writer does not move. An error only when the object turned out to be damaged.
  [[nodiscard]] Result<SlotView> slot(uint32_t index) const;
  /// The same into memory of the caller's, without an allocation: for the body of a known slot.
  [[nodiscard]] bool copy_body(uint32_t index, foster_slot_body& into) const;
  [[nodiscard]] std::string_view slot_name(uint32_t index) const;
  [[nodiscard]] std::optional<uint32_t> find(std::string_view name) const;  // binary search

  /// What depends on what, by (from, to, kind), with indices of slots. An error only when the
  /// object turned out to be damaged.
  [[nodiscard]] Result<std::vector<foster_edge>> edges() const;

  /// Events with sequence numbers >= from that are still in the ring, oldest first.
  [[nodiscard]] std::vector<foster_event> events(uint64_t from) const;

  /// Sleeps until the generation differs from `seen`, or until `until` (CLOCK_BOOTTIME). False when
  /// the time ran out. Returns at once when it differs already, or when the object has been
  /// retired.
  [[nodiscard]] bool wait_for_change(uint32_t seen, std::optional<Instant> until) const;

  /// Maps again when the layout changed, opens the name again when the object was retired or its
  /// name leads to another object. True when anything changed (slot indices are then new). An error
  /// when there is no object any more: ENOENT. While the daemon lives that is not so: a name that
  /// someone deleted is soon put back by the manager, and until then the mapped object is the live
  /// one.
  Result<bool> refresh();

  [[nodiscard]] Liveness manager(Instant now) const;
  [[nodiscard]] Liveness keeper(Instant now) const;

 private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foster::region
