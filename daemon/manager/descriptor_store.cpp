// What of Descriptors is about what others give: the services to their store, users with
// `fosterctl pass`.
#include <fcntl.h>
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "common/ipc/close_aside.hpp"
#include "common/listen/open_socket.hpp"
#include "common/unit/descriptor_name.hpp"
#include "daemon/manager/descriptors.hpp"
#include "daemon/manager/held_file.hpp"
#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

constexpr std::string_view kUnnamed = "stored";  // as sd_pid_notify_with_fds(3) has it
constexpr Duration kBetweenComplaints = std::chrono::seconds(10);

uint32_t store_max(const UnitSpec& unit) {
  return unit.descriptors ? unit.descriptors->store_max : DescriptorsSpec{}.store_max;
}

size_t count_of(const HeldTable::Row* row, Origin origin) {
  if (row == nullptr) return 0;
  return static_cast<size_t>(
      std::ranges::count_if(*row, [&](const auto& held) { return held->what.origin == origin; }));
}

Held* same_in(const HeldTable::Row* row, const HeldName& what, int fd) {
  if (row == nullptr) return nullptr;
  const auto found = std::ranges::find_if(*row, [&](const auto& held) {
    return held->what.origin == what.origin && held->what.name == what.name &&
           same_open_file(held->fd.get(), fd);
  });
  return found == row->end() ? nullptr : found->get();
}

}  // namespace

/// What is there already is not held twice.
Result<Held*> Descriptors::keep(UnitIndex unit, HeldName what, UniqueFd fd) {
  if (Held* there = same_in(table_.of(unit), what, fd.get())) return there;
  if (auto room = table_.room(unit); !room) {
    ipc::end_lingering(fd.get());  // the message that it came with may be the last to have it
    return std::unexpected(room.error());
  }
  what.unit = core_.set()[unit].name;
  what.since_real_ns = wall_clock_ns();
  what.given = what.origin == Origin::stored;
  Held& held = table_.add(unit, std::move(what), std::move(fd));
  poll(held);
  counts_changed_(unit);
  return &held;
}

void Descriptors::store(UnitIndex unit, std::string_view name, std::vector<UniqueFd> fds,
                        bool poll) {
  const UnitSpec& spec = core_.set()[unit];
  if (fds.empty()) return refuse(unit, "the message came without a descriptor");
  if (!name.empty() && !is_descriptor_name(name)) refuse(unit, "FDNAME is no name for one");
  const bool named = is_descriptor_name(name);
  const HeldName what{
      .origin = Origin::stored, .poll = poll, .name = std::string(named ? name : kUnnamed)};
  const uint32_t most = store_max(spec);
  std::string refusal = most == 0 ? "store-max is 0" : "";
  for (auto fd = fds.begin(); fd != fds.end() && refusal.empty(); ++fd) {
    const HeldTable::Row* row = table_.of(unit);
    if (const auto held = can_be_held(fd->get()); !held)
      refusal = held.error().message;
    else if (count_of(row, Origin::stored) >= most && same_in(row, what, fd->get()) == nullptr)
      refusal = "there are " + std::to_string(most) + ", as many as store-max allows";
    else if (auto kept = keep(unit, what, std::move(*fd)); !kept)
      refusal = kept.error().message;
  }
  if (!refusal.empty()) {
    for (UniqueFd& fd : fds)
      if (fd) ipc::close_aside(fd.release(), ipc::Reaping::at_next_call);
    return refuse(unit, refusal);
  }
  // The process may have ended before its message was read.
  close_what_is_over(unit);
}

void Descriptors::refuse(UnitIndex unit, std::string_view why) {
  const Instant now = now_since_boot();
  const auto [last, first] = complained_.try_emplace(unit.value, now);
  if (!first && now - last->second < kBetweenComplaints) return;
  last->second = now;
  log(Level::warning, "a descriptor is not stored as it was asked for",
      {{"unit", core_.set()[unit].name}, {"why", why}});
}

void Descriptors::store_remove(UnitIndex unit, std::string_view name) {
  const auto unwanted = [&](const Held& held) {
    return held.what.origin == Origin::stored && held.what.name == name;
  };
  if (table_.drop_if(unit, unwanted) > 0) counts_changed_(unit);
}

void Descriptors::poll(Held& held) {
  // A file has no other end that could hang up, and epoll_ctl(2) might have to ask its server.
  if (!held.what.poll || held.source != nullptr || is_file(held.fd.get())) return;
  held.owner = this;
  const int r = sd_event_add_io(loop_, &held.source, held.fd.get(), 0, hung_up, &held);
  if (r < 0 && r != -EPERM)
    log(Level::warning, "cannot see whether a stored descriptor hangs up",
        {{"unit", held.what.unit}, {"name", held.what.name}, {"error", strerrordesc_np(-r)}});
}

int Descriptors::hung_up(sd_event_source*, int, uint32_t, void* held) {
  const auto* gone = static_cast<Held*>(held);
  Descriptors& self = *gone->owner;
  const UnitIndex unit = gone->unit;
  self.table_.drop_if(unit, [&](const Held& one) { return &one == gone; });
  self.counts_changed_(unit);
  return 0;
}

Result<bool> Descriptors::pass(UnitIndex unit, std::string_view name, std::string_view from,
                               UniqueFd fd) {
  if (!is_descriptor_name(name))
    return context("pass a descriptor", {descriptor_name_mistake(name), EINVAL});
  if (const auto held = can_be_held(fd.get()); !held) {
    ipc::close_aside(fd.release(), ipc::Reaping::at_next_call);
    return context("pass a descriptor", held.error());
  }
  HeldName what{.origin = Origin::passed, .name = std::string(name), .from = std::string(from)};
  auto kept = keep(unit, std::move(what), std::move(fd));
  if (!kept) return std::unexpected(kept.error());
  const bool sent = live_.send(unit, name, (*kept)->fd.get());
  if (sent && !std::exchange((*kept)->what.given, true)) table_.rename(**kept);
  return sent;
}

std::vector<HeldView> Descriptors::list(UnitIndex unit) const {
  std::vector<HeldView> views;
  for (const Held* held : in_order(unit))
    views.push_back({held->what.origin, held->what.name, descriptor_text(held->fd.get()),
                     held->what.since_real_ns, held->what.from});
  return views;
}

void Descriptors::handed_up(UnitIndex unit, std::string_view name) {
  for (Held* held : in_order(unit)) {
    if (held->socket < 0 || held->what.name != name || held->what.origin == Origin::inherited)
      continue;
    held->what.origin = Origin::inherited;
    table_.rename(*held);
  }
}

uint32_t Descriptors::drop(UnitIndex unit, std::string_view name) {
  const auto unwanted = [&](const Held& held) { return held.socket < 0 && held.what.name == name; };
  const uint32_t count = table_.drop_if(unit, unwanted);
  if (count > 0) counts_changed_(unit);
  return count;
}

std::vector<int> Descriptors::own_sockets(UnitIndex unit, std::string_view name) const {
  std::vector<int> sockets;
  for (const Held* held : in_order(unit))
    if (held->socket >= 0 && held->what.name == name) sockets.push_back(held->fd.get());
  return sockets;
}

Result<UniqueFd> Descriptors::take(UnitIndex unit, std::string_view name) const {
  for (const Held* held : in_order(unit)) {
    if (held->what.name != name) continue;
    UniqueFd copy(fcntl(held->fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return system_failure("take " + std::string(name), errno);
    return copy;
  }
  return std::unexpected(Error{"cannot take " + std::string(name) + " of " +
                                   core_.set()[unit].name + ": nothing of that name is held for it",
                               ENOENT});
}

HeldCounts Descriptors::counts(UnitIndex unit) const {
  HeldCounts counts;
  const HeldTable::Row* row = table_.of(unit);
  if (row == nullptr) return counts;
  for (const auto& held : *row) {
    ++(held->socket >= 0 ? counts.sockets : counts.others);
    if (held->socket >= 0 && static_cast<size_t>(held->socket) < counts.ports.size())
      counts.ports[static_cast<size_t>(held->socket)] = bound_port(held->fd.get());
  }
  return counts;
}

}  // namespace foster::manager
