#include "common/region/reader.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <unistd.h>

#include "common/region/futex.hpp"
#include "common/region/geometry.hpp"
#include "common/region/guard.hpp"
#include "common/region/process_stat.hpp"
#include "common/region/shared_object.hpp"
#include "common/region/shared_words.hpp"

namespace foster::region {
namespace {

enum class Freshness { current, writer_died, writer_stuck };

constexpr Duration kWriteLimit = std::chrono::milliseconds(200);
constexpr Duration kBusyTurn = std::chrono::seconds(1);

// A genuine writer needs microseconds between two writes of one slot, a copy tens of nanoseconds.
// More failures in a row than this mean that someone plays with the object.
constexpr int kCopiesMax = 1 << 20;

struct MappedObject {
  Mapping mapping;
  Parts<const foster_region_header> parts;
  uint32_t layout_generation = 0;

  [[nodiscard]] const foster_region_header& header() const { return parts.header(); }
};

std::string_view name_in(const foster_slot& slot) {
  return {slot.name, strnlen(slot.name, sizeof slot.name - 1)};
}

foster_region_header copy_header(const foster_region_header& shared) {
  foster_region_header copy;
  load_struct(shared, copy);
  copy.boot_id[sizeof copy.boot_id - 1] = '\0';
  copy.instance[sizeof copy.instance - 1] = '\0';
  copy.version_text[sizeof copy.version_text - 1] = '\0';
  return copy;
}

Result<MappedObject> map_object(const std::string& name, uid_t owner) {
  const Result<OpenedObject> opened = open_object(name, Access::read_only);
  if (!opened) return std::unexpected(opened.error());
  const uid_t actual = opened->identity.owner;
  if (actual != owner && actual != 0)
    return failure("use shared memory " + name, "it belongs to uid " + std::to_string(actual) +
                                                    ", not " + std::to_string(owner));
  Result<Mapping> mapping = Mapping::map(*opened, Access::read_only);
  if (!mapping) return std::unexpected(mapping.error());
  const auto& shared = *static_cast<const foster_region_header*>(mapping->base());
  const foster_region_header header = copy_header(shared);
  const Result<Geometry> geometry = read_geometry(header, mapping->size());
  if (!geometry) return std::unexpected(geometry.error());
  const std::string boot_id = read_boot_id();
  if (!boot_id.empty() && boot_id != header.boot_id)
    return failure("use the status region", "it was left from before the machine was booted");
  const Parts<const foster_region_header> parts(mapping->base(), *geometry);
  return MappedObject{.mapping = std::move(*mapping),
                      .parts = parts,
                      .layout_generation = header.layout_generation};
}

// False when the slot moved on under the copy. The sequence number may be odd: the body that is
// current is not the one that is being written.
bool copy_stable(const foster_slot& slot, uint32_t sequence, foster_slot_body& into) {
  const uint32_t current = load(slot.current) & 1;
  load_struct(slot.body[current], into);
  return load(slot.sequence, std::memory_order_relaxed) == sequence &&
         (load(slot.current, std::memory_order_relaxed) & 1) == current;
}

Liveness liveness_of(int32_t pid, uint64_t start_ticks) {
  if (pid <= 0) return Liveness::dead;
  const std::optional<ProcessStat> stat = read_process_stat(pid);
  if (!stat) {
    // /proc may be hidden from us (hidepid) or not there at all; a signal that is none still tells.
    return kill(pid, 0) == 0 || errno == EPERM ? Liveness::alive : Liveness::dead;
  }
  if (start_ticks != 0 && stat->start_ticks != start_ticks) return Liveness::dead;
  switch (stat->state) {
    case 'T':
    case 't':
      return Liveness::frozen;
    case 'Z':
    case 'X':
      return Liveness::dead;
    default:
      return Liveness::alive;
  }
}

}  // namespace

struct Reader::Impl {
  std::string name;
  uid_t owner = 0;
  MappedObject object;
  // Set when a wait for the guard ran to its limit, until the guard is next seen at rest, so that a
  // thousand slots of a writer that is stuck are not waited for a thousand times.
  mutable bool writer_stuck = false;
  // The object was found retired and yet still has the name: its writer died while it replaced it.
  bool outlived_retirement = false;

  [[nodiscard]] const foster_region_header& header() const { return object.header(); }
  [[nodiscard]] bool is_retired() const { return load(header().retired) != 0; }
  [[nodiscard]] Guard::Outcome wait_for_writer(Instant deadline, uint32_t seen) const;
  [[nodiscard]] std::optional<Freshness> copy(uint32_t index, foster_slot_body& into) const;
  [[nodiscard]] bool daemon_lives() const;
  [[nodiscard]] bool has_the_name(const std::optional<ObjectIdentity>& named) const;
};

// `seen` is the generation from before the slot was found odd: without a guard to wait for, the
// writer's announcement of that very change is the next best thing.
Guard::Outcome Reader::Impl::wait_for_writer(Instant deadline, uint32_t seen) const {
  const int id = load(header().semaphore_id);
  const Duration limit = writer_stuck ? Duration(0) : deadline - now_since_boot();
  Guard::Outcome outcome = Guard(id).wait_for_rest(limit);
  if (outcome == Guard::Outcome::removed || outcome == Guard::Outcome::denied) {
    if (load(header().semaphore_id) != id) return outcome;
    futex_wait(header().generation, seen, limit);
    if (now_since_boot() >= deadline || writer_stuck) outcome = Guard::Outcome::timed_out;
  }
  writer_stuck = outcome == Guard::Outcome::timed_out;
  return outcome;
}

std::optional<Freshness> Reader::Impl::copy(uint32_t index, foster_slot_body& into) const {
  const foster_slot& slot = object.parts.slot(index);
  std::optional<Instant> deadline;
  for (int copies = 0; copies < kCopiesMax; ++copies) {
    const uint32_t seen = load(header().generation);
    const uint32_t sequence = load(slot.sequence);
    if (sequence % 2 == 0) {
      if (copy_stable(slot, sequence, into)) return Freshness::current;
      continue;
    }
    if (!deadline) deadline = now_since_boot() + kWriteLimit;
    const Guard::Outcome outcome = wait_for_writer(*deadline, seen);
    const bool decided = outcome == Guard::Outcome::done || outcome == Guard::Outcome::timed_out;
    // The number is the one that was odd before the guard was seen at rest: who wrote it is no
    // more.
    if (decided && copy_stable(slot, sequence, into)) {
      const bool died =
          outcome == Guard::Outcome::done ||
          liveness_of(header().manager_pid, header().manager_start_ticks) == Liveness::dead;
      return died ? Freshness::writer_died : Freshness::writer_stuck;
    }
  }
  return std::nullopt;
}

bool Reader::Impl::daemon_lives() const {
  return liveness_of(load(header().keeper_pid), load(header().keeper_start_ticks)) !=
         Liveness::dead;
}

bool Reader::Impl::has_the_name(const std::optional<ObjectIdentity>& named) const {
  return named && named->same_object(object.mapping.identity()) &&
         load(header().layout_generation) == object.layout_generation;
}

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::Reader(Reader&&) noexcept = default;
Reader& Reader::operator=(Reader&&) noexcept = default;
Reader::~Reader() = default;

Result<Reader> Reader::open(const std::string& object_name, uint32_t owner_uid) {
  Result<MappedObject> object = map_object(object_name, owner_uid);
  if (!object) return context("read the status", object.error());
  return Reader(std::make_unique<Impl>(
      Impl{.name = object_name, .owner = owner_uid, .object = std::move(*object)}));
}

foster_region_header Reader::header() const {
  return copy_header(impl_->header());
}

uint32_t Reader::generation() const {
  return load(impl_->header().generation);
}

uint32_t Reader::slot_count() const {
  return impl_->object.parts.geometry().slot_count;
}

Result<SlotView> Reader::slot(uint32_t index) const {
  const auto damaged = [index](std::string_view why) {
    return failure("read slot " + std::to_string(index) + " of the status region", why);
  };
  if (index >= slot_count()) return damaged("there is no such slot");
  SlotView view{.index = index, .name = std::string(slot_name(index))};
  if (view.name.empty()) return damaged("it is damaged: it has no name");
  const std::optional<Freshness> freshness = impl_->copy(index, view.body);
  if (!freshness) return damaged("it is damaged: it never comes to rest");
  view.body.status_text[sizeof view.body.status_text - 1] = '\0';
  view.body.detail[sizeof view.body.detail - 1] = '\0';
  view.writer_died = *freshness == Freshness::writer_died;
  view.writer_stuck = *freshness == Freshness::writer_stuck;
  return view;
}

Result<std::vector<foster_edge>> Reader::edges() const {
  const std::span<const foster_edge> shared = impl_->object.parts.edges();
  std::vector<foster_edge> edges;
  edges.reserve(shared.size());
  for (const foster_edge& edge : shared) {
    const foster_edge copy{load(edge.from), load(edge.to), load(edge.kind)};
    if (copy.from >= slot_count() || copy.to >= slot_count() ||
        (!edges.empty() && edges.back().from > copy.from))
      return failure("read the dependencies in the status region", "it is damaged");
    edges.push_back(copy);
  }
  return edges;
}

bool Reader::copy_body(uint32_t index, foster_slot_body& into) const {
  return index < slot_count() && impl_->copy(index, into).has_value();
}

std::string_view Reader::slot_name(uint32_t index) const {
  return index < slot_count() ? name_in(impl_->object.parts.slot(index)) : std::string_view();
}

std::optional<uint32_t> Reader::find(std::string_view name) const {
  uint32_t low = 0;
  uint32_t high = slot_count();
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    const int order = slot_name(middle).compare(name);
    if (order == 0) return middle;
    (order < 0 ? low : high) = order < 0 ? middle + 1 : middle;
  }
  return std::nullopt;
}

std::vector<foster_event> Reader::events(uint64_t from) const {
  const Parts<const foster_region_header>& parts = impl_->object.parts;
  const uint64_t head = load(parts.header().ring_head);
  const uint64_t capacity = parts.geometry().ring_capacity;
  std::vector<foster_event> events;
  uint64_t number = std::max<uint64_t>({from, 1, head > capacity ? head - capacity : 1});
  for (; number < head; ++number) {
    const foster_event& shared = parts.event(number);
    foster_event copy;
    load_struct(shared, copy);
    // Overwritten by a newer one meanwhile: then it is no longer in the ring.
    if (copy.sequence != number) continue;
    if (load(shared.sequence, std::memory_order_relaxed) != number) continue;
    copy.name[sizeof copy.name - 1] = '\0';
    copy.text[sizeof copy.text - 1] = '\0';
    events.push_back(copy);
  }
  return events;
}

bool Reader::wait_for_change(uint32_t seen, std::optional<Instant> until) const {
  for (;;) {
    if (generation() != seen) return true;
    if (impl_->is_retired() && !impl_->outlived_retirement) return true;
    std::optional<Duration> remaining;
    if (until) {
      remaining = *until - now_since_boot();
      if (remaining->count() <= 0) return false;
    }
    futex_wait(impl_->header().generation, seen, remaining);
  }
}

Result<bool> Reader::refresh() {
  const bool retired = impl_->is_retired();
  if (retired) {
    // It is being replaced at this moment, under the guard; or whoever did that died before the
    // end.
    const Duration limit = impl_->outlived_retirement ? Duration(0) : kWriteLimit;
    [[maybe_unused]] const Guard::Outcome outcome =
        Guard(load(impl_->header().semaphore_id)).wait_for_rest(limit);
  }
  if (impl_->has_the_name(identify_object(impl_->name))) {
    impl_->outlived_retirement = retired;
    return false;
  }
  Result<MappedObject> object = map_object(impl_->name, impl_->owner);
  if (!object && !retired && impl_->daemon_lives()) return false;
  if (!object) return context("follow the status", object.error());
  impl_->object = std::move(*object);
  impl_->writer_stuck = false;
  impl_->outlived_retirement = false;
  return true;
}

Liveness Reader::manager(Instant now) const {
  const foster_region_header& header = impl_->header();
  const Liveness liveness = liveness_of(load(header.manager_pid), load(header.manager_start_ticks));
  const int64_t turn_started = load(header.turn_started_boot_ns);
  const bool busy = turn_started != 0 && now - Instant{turn_started} > kBusyTurn;
  return liveness == Liveness::alive && busy ? Liveness::busy : liveness;
}

Liveness Reader::keeper(Instant) const {
  const foster_region_header& header = impl_->header();
  return liveness_of(load(header.keeper_pid), load(header.keeper_start_ticks));
}

}  // namespace foster::region
