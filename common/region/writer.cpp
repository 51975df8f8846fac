#include "common/region/writer.hpp"

#include <algorithm>
#include <cstring>
#include <sys/mman.h>
#include <tuple>

#include "common/check.hpp"
#include "common/instant.hpp"
#include "common/region/futex.hpp"
#include "common/region/guard.hpp"
#include "common/region/live_object.hpp"
#include "common/region/process_stat.hpp"
#include "common/region/shared_words.hpp"

namespace foster::region {
namespace {

constexpr Duration kGuardLimit = std::chrono::milliseconds(100);

// An object's generation grows by two while it is retired; its successor's goes on from there.
constexpr uint32_t kAnnouncements = 3;

struct alignas(uint64_t) VersionText {
  char bytes[sizeof foster_region_header::version_text];
};

std::string_view text_of(const char* bytes, size_t size) {
  return {bytes, strnlen(bytes, size)};
}

template <size_t N>
void set_text(char (&into)[N], std::string_view text) {
  std::memset(into, 0, N);
  std::memcpy(into, text.data(), std::min(text.size(), N - 1));
}

uint64_t start_ticks_of(int32_t pid) {
  return read_process_stat(pid).value_or(ProcessStat{}).start_ticks;
}

bool are_layable(std::span<const std::string> names) {
  const auto fits = [](const std::string& name) {
    return !name.empty() && name.size() < FOSTER_NAME_SIZE;
  };
  const auto disordered = [](const std::string& one, const std::string& next) {
    return one >= next;
  };
  return std::ranges::all_of(names, fits) &&
         std::ranges::adjacent_find(names, disordered) == names.end();
}

auto edge_order(const foster_edge& edge) {
  return std::tuple(edge.from, edge.to, edge.kind);
}

bool are_layable(std::span<const foster_edge> edges, size_t slots) {
  const auto leads = [slots](const foster_edge& edge) {
    return edge.from < slots && edge.to < slots && edge.kind <= FOSTER_EDGE_PART_OF;
  };
  return std::ranges::all_of(edges, leads) && std::ranges::is_sorted(edges, {}, edge_order);
}

bool same_edges(std::span<const foster_edge> one, std::span<const foster_edge> other) {
  return std::ranges::equal(one, other, {}, edge_order, edge_order);
}

// A reader that meets any word of the new body or the turned `current` also sees the odd number.
void write_slot(foster_slot& slot, const foster_slot_body& body) {
  const uint32_t odd = slot.sequence | 1;
  const uint32_t other = slot.current == 0 ? 1 : 0;
  store(slot.sequence, odd);
  store_struct(slot.body[other], body);
  store(slot.current, other);
  store(slot.sequence, odd + 1);
}

void append_event(const Parts<foster_region_header>& parts, const foster_event& event) {
  foster_region_header& header = parts.header();
  const uint64_t number = header.ring_head;
  foster_event numbered = event;
  numbered.sequence = 0;
  foster_event& place = parts.event(number);
  store(place.sequence, 0);
  store_struct(place, numbered);
  store(place.sequence, number);
  store(header.ring_head, number + 1);
}

// Only places that hold an event are touched: a page of the ring that was never used costs nothing.
void carry_events(const Parts<foster_region_header>& from, const Parts<foster_region_header>& to) {
  const uint64_t head = from.header().ring_head;
  const uint64_t capacity = from.geometry().ring_capacity;
  for (uint64_t number = head > capacity ? head - capacity : 1; number < head; ++number)
    to.event(number) = from.event(number);
}

// What `blocker` says, in the order of the new object; a unit that is gone holds nobody back.
uint32_t carried_blocker(uint32_t blocker, const std::vector<uint32_t>& places) {
  return blocker == 0 || blocker > places.size() ? blocker : places[blocker - 1];
}

// Both sides are sorted by name, so one walk through both finds what stays.
void carry_slots(const Parts<foster_region_header>& from, const Parts<foster_region_header>& to,
                 std::span<const std::string> names) {
  uint32_t old = 0;
  std::vector<uint32_t> places(from.geometry().slot_count, 0);  // one more than the new index
  for (uint32_t i = 0; i < names.size(); ++i) {
    const auto old_name = [&] { return text_of(from.slot(old).name, FOSTER_NAME_SIZE); };
    while (old < from.geometry().slot_count && old_name() < names[i])
      ++old;
    const bool stays = old < from.geometry().slot_count && old_name() == names[i];
    if (stays) {
      to.slot(i) = from.slot(old);
      places[old] = i + 1;
    } else {
      set_text(to.slot(i).name, names[i]);
    }
  }
  for (uint32_t i = 0; i < names.size(); ++i) {
    for (foster_slot_body& body : to.slot(i).body)
      body.blocker = carried_blocker(body.blocker, places);
  }
}

}  // namespace

struct Writer::Impl {
  WriterOptions options;
  LiveObject live;
  Guard guard;
  bool adopted = false;

  [[nodiscard]] const std::string& name() const { return options.object_name; }
  Result<void> create(const OwnerFields& owner, const Provenance& from, const LiveObject* old);
  void adopt(const OwnerFields& owner, const Provenance& from, LiveObject object);
  void set_owner(const OwnerFields& owner, uint64_t keeper_start_ticks);
  Result<void> replace_guard(bool remove_old);
  Result<void> hold_guard();
  Result<void> rebuild(std::span<const std::string> names, std::span<const foster_edge> edges);
  Result<void> build_and_install(std::span<const std::string> names,
                                 std::span<const foster_edge> edges);
  [[nodiscard]] std::vector<std::string> names() const;
};

// The old set goes first, so that a system that is out of semaphore sets has one to give. The new
// guard is taken before its number is made public: until then it has no rival.
Result<void> Writer::Impl::replace_guard(bool remove_old) {
  if (remove_old) guard.remove();
  guard = Guard();
  const Result<Guard> fresh = Guard::create();
  if (fresh) guard = *fresh;
  const bool taken = fresh && guard.acquire(kGuardLimit) == Guard::Outcome::done;
  store(live.header().semaphore_id, guard.id());
  if (!fresh) return context("replace the guard of the status region", fresh.error());
  if (!taken) return failure("take the new guard of the status region", "it was removed at once");
  return {};
}

// An error leaves the writer without the guard, and it goes on so: a reader that meets an odd
// sequence number then sleeps on the generation instead.
Result<void> Writer::Impl::hold_guard() {
  const Guard::Outcome outcome = guard.acquire(kGuardLimit);
  if (outcome == Guard::Outcome::done) return {};
  return replace_guard(outcome == Guard::Outcome::timed_out);
}

// A guard that the old object leaves serves the new one too: nothing is lost wherever we may be
// killed.
Result<void> Writer::Impl::create(const OwnerFields& owner, const Provenance& from,
                                  const LiveObject* old) {
  Result<LiveObject> built = build_successor(name(), plan_geometry(options.ring_capacity, 0, 0));
  if (!built) return std::unexpected(built.error());
  live = std::move(*built);
  const int left = guard.id();
  Result<void> done = hold_guard();
  if (!done) {
    shm_unlink(successor_name(name()).c_str());
    return done;
  }
  foster_region_header& header = live.header();
  header.semaphore_id = guard.id();
  header.generation = old != nullptr ? old->header().generation + kAnnouncements : 1;
  header.layout_generation = old != nullptr ? old->header().layout_generation + 1 : 1;
  header.ring_head = 1;
  header.daemon_started_boot_ns = now_since_boot().ns;
  header.daemon_started_real_ns = wall_clock_ns();
  set_text(header.boot_id, from.boot_id);
  set_text(header.instance, options.instance);
  set_owner(owner, from.keeper_start_ticks);
  done = install_successor(name(), old);
  guard.release();
  if (!done && guard.id() != left) guard.remove();
  return done;
}

void Writer::Impl::adopt(const OwnerFields& owner, const Provenance& from, LiveObject object) {
  live = std::move(object);
  adopted = true;
  const Result<void> held = hold_guard();
  mend_slots(live.parts);
  set_owner(owner, from.keeper_start_ticks);
  if (held) guard.release();
  set_retired(live.header(), false);
}

void Writer::Impl::set_owner(const OwnerFields& owner, uint64_t keeper_start_ticks) {
  foster_region_header& header = live.header();
  store(header.manager_pid, owner.manager_pid);
  store(header.manager_start_ticks, start_ticks_of(owner.manager_pid));
  store(header.keeper_pid, owner.keeper_pid);
  store(header.keeper_start_ticks, keeper_start_ticks);
  store(header.manager_restarts, owner.manager_restarts);
  store(header.manager_started_boot_ns, now_since_boot().ns);
  store(header.turn_started_boot_ns, 0);
  VersionText version{};
  set_text(version.bytes, owner.version_text);
  store_struct(reinterpret_cast<VersionText&>(header.version_text), version);
}

std::vector<std::string> Writer::Impl::names() const {
  std::vector<std::string> names;
  for (uint32_t i = 0; i < live.parts.geometry().slot_count; ++i)
    names.emplace_back(text_of(live.parts.slot(i).name, FOSTER_NAME_SIZE));
  return names;
}

// The guard is held throughout, so that readers who find the old object retired have something to
// wait for until the name leads to the new one. Both objects share the guard.
Result<void> Writer::Impl::rebuild(std::span<const std::string> names,
                                   std::span<const foster_edge> edges) {
  const Result<void> held = hold_guard();
  Result<void> done = build_and_install(names, edges);
  if (held) guard.release();
  return done;
}

Result<void> Writer::Impl::build_and_install(std::span<const std::string> names,
                                             std::span<const foster_edge> edges) {
  const Geometry planned =
      plan_geometry(live.parts.geometry().ring_capacity, static_cast<uint32_t>(names.size()),
                    static_cast<uint32_t>(edges.size()));
  Result<LiveObject> built = build_successor(name(), planned);
  if (!built) return std::unexpected(built.error());
  const Parts<foster_region_header>& fresh = built->parts;
  fresh.header() = live.header();
  write_geometry(fresh.geometry(), fresh.header());
  ++fresh.header().layout_generation;
  fresh.header().generation += kAnnouncements;
  fresh.header().retired = 0;
  carry_events(live.parts, fresh);
  carry_slots(live.parts, fresh, names);
  std::ranges::copy(edges, fresh.edges().begin());
  const Result<void> installed = install_successor(name(), &live);
  if (installed) live = std::move(*built);
  return installed;
}

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::Writer(Writer&&) noexcept = default;
Writer& Writer::operator=(Writer&&) noexcept = default;
Writer::~Writer() = default;

Result<Writer> Writer::open(const WriterOptions& options, const OwnerFields& owner) {
  const Provenance from{.boot_id = read_boot_id(),
                        .keeper_pid = owner.keeper_pid,
                        .keeper_start_ticks = start_ticks_of(owner.keeper_pid)};
  auto impl = std::make_unique<Impl>(Impl{.options = options});
  Result<Predecessor> found = find_predecessor(options.object_name, from);
  if (!found) return context("open the status region", found.error());
  LiveObject* const old = found->object ? &*found->object : nullptr;
  const Guard left(old != nullptr ? old->header().semaphore_id : Guard::kNoSet);
  discard_leftover(options.object_name, left.id());
  if (found->same_boot && left.is_ours()) impl->guard = left;
  if (found->adoptable) {
    impl->adopt(owner, from, std::move(*old));
    return Writer(std::move(impl));
  }
  const Result<void> created = impl->create(owner, from, old);
  if (!created) return context("open the status region", created.error());
  return Writer(std::move(impl));
}

bool Writer::adopted() const {
  return impl_->adopted;
}

std::vector<RememberedSlot> Writer::remembered() const {
  std::vector<RememberedSlot> slots;
  for (uint32_t i = 0; i < impl_->live.parts.geometry().slot_count; ++i)
    slots.push_back({.name = std::string(text_of(impl_->live.parts.slot(i).name, FOSTER_NAME_SIZE)),
                     .body = body(i)});
  return slots;
}

Result<void> Writer::lay_out(std::span<const std::string> names,
                             std::span<const foster_edge> edges) {
  FOSTER_CHECK(are_layable(names) && are_layable(edges, names.size()));
  if (names.size() > kSlotsMax || edges.size() > kEdgesMax)
    return failure("lay out the status region", "there are too many units");
  const std::vector<std::string> present = impl_->names();
  if (std::ranges::equal(present, names) && same_edges(impl_->live.parts.edges(), edges)) {
    mend_slots(impl_->live.parts);
    return {};
  }
  Result<void> rebuilt = impl_->rebuild(names, edges);
  if (!rebuilt) return context("lay out the status region", rebuilt.error());
  return {};
}

Result<void> Writer::publish(std::span<const SlotUpdate> slots,
                             std::span<const foster_event> events, const HeaderUpdate& update) {
  const Parts<foster_region_header>& parts = impl_->live.parts;
  foster_region_header& header = parts.header();
  const Result<void> held = impl_->hold_guard();
  // First the numbers that were given out, so that no slot ever shows a higher one, whenever we
  // die.
  store(header.last_attempt, update.last_attempt);
  store(header.last_job, update.last_job);
  for (const SlotUpdate& slot : slots) {
    FOSTER_CHECK(slot.slot < parts.geometry().slot_count);
    write_slot(parts.slot(slot.slot), slot.body);
  }
  for (const foster_event& event : events)
    append_event(parts, event);
  store(header.exit_code, update.exit_code);
  store(header.phase, update.phase);
  store(header.generation, header.generation + 1);
  if (held) impl_->guard.release();
  futex_wake_all(header.generation);
  if (!held) return std::unexpected(held.error());
  return {};
}

Result<bool> Writer::repair_if_unlinked() {
  const std::optional<ObjectIdentity> named = identify_object(impl_->name());
  if (named && named->same_object(impl_->live.mapping.identity())) return false;
  const Result<void> rebuilt = impl_->rebuild(impl_->names(), impl_->live.parts.edges());
  if (!rebuilt) return context("repair the status region", rebuilt.error());
  return true;
}

void Writer::turn_started(int64_t boot_ns) {
  store(impl_->live.header().turn_started_boot_ns, boot_ns);
}

void Writer::turn_ended() {
  store(impl_->live.header().turn_started_boot_ns, 0);
}

const foster_region_header& Writer::header() const {
  return impl_->live.header();
}

const foster_slot_body& Writer::body(uint32_t slot) const {
  FOSTER_CHECK(slot < impl_->live.parts.geometry().slot_count);
  const foster_slot& shared = impl_->live.parts.slot(slot);
  return shared.body[shared.current == 0 ? 0 : 1];
}

// Retired before and announced again after the name is gone, as in install_successor.
void Writer::remove() {
  const std::optional<ObjectIdentity> named = identify_object(impl_->name());
  set_retired(impl_->live.header(), true);
  if (named && named->same_object(impl_->live.mapping.identity()))
    shm_unlink(impl_->name().c_str());
  announce_change(impl_->live.header());
  impl_->guard.remove();
}

}  // namespace foster::region
