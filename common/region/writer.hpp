// The manager's side of the status region (layout.h). One writer per object; that there is only one
// manager per instance is the instance lock's business, not ours.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/ids.hpp"
#include "common/region/layout.h"
#include "common/result.hpp"

namespace foster::region {

struct WriterOptions {
  std::string object_name;  // "/foster.<instance>", see common/instance.hpp
  std::string instance;
  uint32_t ring_capacity = 1024;  // events; taken at creation only
};

/// What a former manager of the same daemon left, per unit: the last whole body. Its `blocker`
/// counts in the order of these.
struct RememberedSlot {
  std::string name;
  foster_slot_body body;
};

struct SlotUpdate {
  uint32_t slot = 0;  // index as given to lay_out
  foster_slot_body body{};
};

/// The header fields that a publish sets. The rest is the writer's own.
struct HeaderUpdate {
  uint32_t phase = 0;
  int32_t exit_code = 0;
  uint64_t last_attempt = 0;
  uint64_t last_job = 0;
};

/// Fields that are set once, when a manager takes the region over.
struct OwnerFields {
  int32_t manager_pid = 0;
  int32_t keeper_pid = 0;
  uint32_t manager_restarts = 0;
  std::string version_text;
};

class Writer {
 public:
  /// Creates the object, or adopts the one that is there. What cannot be adopted (another boot,
  /// another version, another keeper, cut short, not ours) is replaced; an object of another owner
  /// is an error unless we are root. Space is allocated up front (posix_fallocate), so a full
  /// /dev/shm is an error here and never a SIGBUS later.
  static Result<Writer> open(const WriterOptions& options, const OwnerFields& owner);

  Writer(Writer&&) noexcept;
  Writer& operator=(Writer&&) noexcept;
  ~Writer();  // Unmaps. Does not remove anything: a manager's death must not either.

  /// True when a former manager's state was found; then header() and remembered() are its.
  [[nodiscard]] bool adopted() const;
  [[nodiscard]] std::vector<RememberedSlot> remembered() const;

  /// Slot i becomes that of names[i] (sorted, unique, at most FOSTER_NAME_SIZE-1 bytes). A unit
  /// that had a slot keeps its body, `blocker` translated to the new order; a new one starts
  /// zeroed. The edges are sorted by (from, to, kind) and count in `names`. Grows the object when
  /// needed. No change, no new layout generation; a slot left odd by a dead writer is mended in
  /// either case.
  Result<void> lay_out(std::span<const std::string> names, std::span<const foster_edge> edges = {});

  /// Takes the guard once, writes the slots and the header, appends the events (sequence numbers
  /// are filled in here), grows the generation by one, releases the guard and wakes all waiters.
  /// Never waits longer than 100 ms for the guard: who holds it then is no writer of ours, and it
  /// is replaced by a new semaphore. A removed semaphore set (EIDRM, EINVAL) is replaced as well.
  Result<void> publish(std::span<const SlotUpdate> slots, std::span<const foster_event> events,
                       const HeaderUpdate& header);

  /// To be called when the object's link count may have changed. When its name is gone (someone
  /// unlinked it, logind's RemoveIPC for one) a new object takes the content over, the old one is
  /// marked retired and its waiters are woken. Returns whether that was so.
  Result<bool> repair_if_unlinked();

  /// Plain stores, no guard: a reader learns from them that the manager hangs in a turn of its
  /// loop.
  void turn_started(int64_t boot_ns);
  void turn_ended();

  [[nodiscard]] const foster_region_header& header() const;
  /// What was last published for the slot. Like header(), valid until lay_out or a repair.
  [[nodiscard]] const foster_slot_body& body(uint32_t slot) const;

  /// Orderly end: marks the object retired, wakes waiters, unlinks the name, removes the semaphore.
  void remove();

 private:
  struct Impl;
  explicit Writer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace foster::region
