#include "daemon/manager/descriptors.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>

#include "common/listen/open_socket.hpp"
#include "daemon/manager/errand.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::manager {
namespace {

constexpr int kFirstNumber = 3;  // SD_LISTEN_FDS_START
constexpr uint64_t kSecondUs = 1'000'000;
constexpr unsigned kWakesMax = 1000;

bool is_socket(const Held& held) {
  return held.socket >= 0;
}

/// Opened for a [[socket]] that the unit file has not got any more.
bool is_former(const Held& held) {
  return held.what.origin == Origin::socket && !is_socket(held);
}

StorePreserve preserve_of(const UnitSpec& unit) {
  return unit.descriptors ? unit.descriptors->store_preserve : DescriptorsSpec{}.store_preserve;
}

bool has_no_process(core::UnitState state) {
  return core::at_rest(state) || state == core::UnitState::backoff ||
         state == core::UnitState::waiting || state == core::UnitState::listening;
}

/// Nothing will start the unit again by itself but what it was waiting for.
bool over_for_good(const core::UnitRecord& record) {
  if (!core::at_rest(record.state)) return false;
  const bool held_back = record.cause == core::Cause::dependency ||
                         record.cause == core::Cause::masked ||
                         record.cause == core::Cause::condition;
  return record.goal == core::Goal::down || !held_back;
}

/// What has been opened for a unit file that is no more, by what the kernel knows of it.
SocketSpec former_spec(int fd) {
  SocketSpec spec;
  sockaddr_un address{};
  socklen_t length = sizeof address;
  char path[PATH_MAX] = {};
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0) {
    spec.kind = SocketKind::unix_stream;
    if (address.sun_family == AF_UNIX && address.sun_path[0] == '/')
      spec.listen = "unix://" + std::string(address.sun_path);
  } else if (readlink(("/proc/self/fd/" + std::to_string(fd)).c_str(), path, sizeof path - 1) > 0) {
    spec.kind = SocketKind::fifo;
    if (path[0] == '/') spec.listen = "fifo://" + std::string(path);
  }
  return spec;
}

/// Of a socket that no unit file asks for any more.
void remove_former_file(const HeldName& what, int fd) {
  if (what.file_was_there) return;
  const SocketSpec spec = former_spec(fd);
  if (!spec.listen.empty()) remove_socket_file(spec, fd);
}

}  // namespace

Descriptors::Descriptors(KeeperClient& keeper, const core::Supervisor& core,
                         std::function<void(core::Event)> queue,
                         std::function<void(UnitIndex)> counts_changed)
    : keeper_(keeper),
      core_(core),
      queue_(std::move(queue)),
      counts_changed_(std::move(counts_changed)),
      table_(keeper),
      live_(keeper, core.set()),
      acceptor_(core, *this, [this](core::Event event) { queue_(std::move(event)); }) {}

Descriptors::~Descriptors() = default;

void Descriptors::attach(sd_event* loop, std::vector<HandedDescriptor>& kept) {
  loop_ = loop;
  for (HandedDescriptor& handed : kept)
    if (handed.fd) restore(handed);
  for (const UnitIndex unit : table_.units())
    adopt_by_address(unit);
  live_.attach(kept);
}

void Descriptors::restore(HandedDescriptor& handed) {
  auto what = parse_held_name(handed.name);
  if (!what) return;
  if (what->origin == Origin::inherited) {
    auto held = std::make_unique<Held>();
    held->what = std::move(*what);
    held->kept_as = std::move(handed.name);
    held->fd = std::move(handed.fd);
    inherited_.push_back(std::move(held));
    return;
  }
  const auto unit = core_.set().find(what->unit);
  if (!unit) {
    if (what->origin == Origin::socket) remove_former_file(*what, handed.fd.get());
    keeper_.drop(handed.name);
    handed.fd.reset();
    return;
  }
  const int socket =
      what->origin == Origin::socket ? fitting_socket(*unit, &what->name, handed.fd.get()) : -1;
  Held& held =
      table_.restore(*unit, std::move(*what), std::move(handed.name), std::move(handed.fd));
  held.socket = socket;
}

/// A socket whose name alone has changed in the unit file is the same socket.
void Descriptors::adopt_by_address(UnitIndex unit) {
  for (Held* held : in_order(unit)) {
    if (!is_former(*held)) continue;
    held->socket = fitting_socket(unit, nullptr, held->fd.get());
    if (held->socket < 0) continue;
    held->what.name = sockets_of(core_.set()[unit])[static_cast<size_t>(held->socket)].name;
    table_.rename(*held);
  }
}

/// Which of the unit's sockets a descriptor can be, by its name, unless that is null, and by what
/// the kernel says of it; -1: none that is not there already.
int Descriptors::fitting_socket(UnitIndex unit, const std::string* name, int fd) const {
  const auto sockets = sockets_of(core_.set()[unit]);
  for (size_t i = 0; i < sockets.size(); ++i) {
    const int socket = static_cast<int>(i);
    const bool so_called = name == nullptr || sockets[i].name == *name;
    if (so_called && socket_of(unit, socket) == nullptr && fits_spec(fd, sockets[i])) return socket;
  }
  return -1;
}

void Descriptors::resume() {
  std::vector<UnitIndex> units = table_.units();
  for (uint32_t i = 0; i < core_.set().size(); ++i) {
    const UnitSpec& unit = core_.set()[{i}];
    const bool may_claim = !inherited_.empty() && !sockets_of(unit).empty();
    if (starts_on_connection(unit) || may_claim) units.push_back({i});
  }
  std::ranges::sort(units, {}, &UnitIndex::value);
  const auto doubled = std::ranges::unique(units, {}, &UnitIndex::value);
  units.erase(doubled.begin(), doubled.end());
  for (const UnitIndex unit : units) {
    const core::UnitRecord& record = core_.record(unit);
    const bool begun = record.state == core::UnitState::starting || record.pid > 0;
    for (Held* held : in_order(unit))
      poll(*held);
    if (begun) claim_inherited(unit);
    close_what_is_over(unit);
    if (record.state == core::UnitState::listening) listen(unit);
    counts_changed_(unit);
  }
  tell_unclaimed();
  acceptor_.resume();
}

/// Clients can connect to such a socket, and nobody will ever answer.
void Descriptors::tell_unclaimed() const {
  for (const auto& held : inherited_) {
    const std::string why = why_unclaimed(*held);
    if (!why.empty())
      log(Level::warning, "no unit takes a descriptor that fosterd was given",
          {{"name", held->what.name}, {"what", descriptor_text(held->fd.get())}, {"why", why}});
  }
}

/// Empty where a unit takes it, or will when it is started.
std::string Descriptors::why_unclaimed(const Held& held) const {
  std::string why = "no [[socket]] has this name";
  for (uint32_t i = 0; i < core_.set().size(); ++i) {
    const UnitSpec& unit = core_.set()[{i}];
    if (unit.descriptors && unit.descriptors->takes_inherited) return {};
    for (const SocketSpec& socket : sockets_of(unit)) {
      if (socket.name != held.what.name) continue;
      if (fits_spec(held.fd.get(), socket)) return {};
      why = "the [[socket]] of this name of " + unit.name + " is " + socket.listen;
    }
  }
  return why;
}

const Held* Descriptors::socket_of(UnitIndex unit, int socket) const {
  const HeldTable::Row* row = table_.of(unit);
  if (row == nullptr) return nullptr;
  const auto found = std::ranges::find(*row, socket, [](const auto& held) { return held->socket; });
  return found == row->end() ? nullptr : found->get();
}

std::vector<Held*> Descriptors::in_order(UnitIndex unit) const {
  std::vector<Held*> held;
  const UnitSpec& spec = core_.set()[unit];
  const HeldTable::Row* row = table_.of(unit);
  if (spec.descriptors && spec.descriptors->takes_inherited)
    for (const auto& one : inherited_)
      held.push_back(one.get());
  if (row != nullptr)
    for (const auto& one : *row)
      held.push_back(one.get());
  const auto place = [](const Held* one) {
    const bool stored = one->what.origin == Origin::stored;
    const bool first = is_socket(*one) || one->what.origin == Origin::inherited;
    return std::pair(first ? 0 : stored ? 2 : 1, one->socket);
  };
  std::ranges::stable_sort(held, {}, place);
  return held;
}

Result<void> Descriptors::add_to(SpawnExtras& extras, const core::Spawn& spawn) {
  if (!runs_service(spawn.role)) return {};
  const UnitSpec& unit = core_.set()[spawn.unit];
  if (!unit.descriptors && table_.of(spawn.unit) == nullptr) return {};
  const bool afresh = spawn.role == core::Role::main;
  // What is opened next may want the same address.
  if (afresh && close_former(spawn.unit)) keeper_.await_drops();
  if (afresh && preserve_of(unit) == StorePreserve::never) drop_given(spawn.unit);
  if (auto opened = open_sockets(spawn.unit); !opened) return opened;
  std::string names;
  int number = kFirstNumber;
  for (Held* held : in_order(spawn.unit)) {
    if (is_former(*held)) continue;
    UniqueFd copy(fcntl(held->fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) return system_failure("pass on the descriptor " + held->what.name, errno);
    extras.descriptors.push_back({number++, std::move(copy)});
    names += (names.empty() ? "" : ":") + held->what.name;
    held->handed_to = spawn.attempt;
  }
  if (number == kFirstNumber) return add_live(extras, spawn);
  if (serves_connections(unit)) add_connection(extras, spawn.unit);
  extras.environment.emplace_back("LISTEN_FDS", std::to_string(number - kFirstNumber));
  extras.environment.emplace_back("LISTEN_FDNAMES", std::move(names));
  // The keeper puts the pid there, which nobody knows yet.
  extras.environment.emplace_back("LISTEN_PID", std::string(protocol::kPidDigits, '0'));
  return add_live(extras, spawn);
}

void Descriptors::add_connection(SpawnExtras& extras, UnitIndex unit) const {
  const std::vector<Held*> held = in_order(unit);
  const auto found =
      std::ranges::find(held, kConnectionName, [](const Held* one) { return one->what.name; });
  if (found != held.end()) acceptor_.add_to(extras.environment, (*found)->fd.get());
}

Result<void> Descriptors::add_live(SpawnExtras& extras, const core::Spawn& spawn) {
  const UnitSpec& unit = core_.set()[spawn.unit];
  if (!unit.descriptors || !unit.descriptors->receive_live) return {};
  auto end = live_.open(spawn.unit, spawn.attempt, spawn.role == core::Role::successor);
  if (!end) return std::unexpected(end.error());
  const int number = free_number(extras);
  extras.descriptors.push_back({number, std::move(*end)});
  extras.environment.emplace_back(kReceiveVariable, std::to_string(number));
  return {};
}

void Descriptors::units_changed(std::span<const UnitIndex> units) {
  bool listens = false;
  for (const UnitIndex unit : units) {
    const UnitSpec& spec = core_.set()[unit];
    if (!spec.descriptors && table_.of(unit) == nullptr) continue;
    close_what_is_over(unit);
    if (serves_connections(spec)) acceptor_.instance_changed(unit);
    listens = listens || core_.record(unit).state == core::UnitState::listening;
  }
  if (!listens) return;
  // One may want the very port that another has just closed.
  keeper_.await_drops();
  for (const UnitIndex unit : units)
    if (core_.record(unit).state == core::UnitState::listening) listen(unit);
}

void Descriptors::close_what_is_over(UnitIndex unit) {
  const core::UnitRecord& record = core_.record(unit);
  mark_given(unit);
  if (record.state != core::UnitState::listening) unwatch(unit);
  if (core::at_rest(record.state)) close_sockets(unit);
  if (has_no_process(record.state)) {
    close_former(unit);
    live_.close_all(unit);
  }
  drop_stale(unit);
}

/// An attempt that could not be executed has had nothing. A connection is the acceptor's to drop.
void Descriptors::mark_given(UnitIndex unit) {
  const core::UnitRecord& record = core_.record(unit);
  const HeldTable::Row* row = table_.of(unit);
  if (row == nullptr || record.running.ns == 0 || serves_connections(core_.set()[unit])) return;
  for (const auto& held : *row) {
    if (held->what.origin != Origin::passed || held->what.given) continue;
    if (held->handed_to != record.attempt) continue;
    held->what.given = true;
    table_.rename(*held);
  }
}

void Descriptors::drop_stale(UnitIndex unit) {
  const core::UnitRecord& record = core_.record(unit);
  switch (preserve_of(core_.set()[unit])) {
    case StorePreserve::never:
      if (has_no_process(record.state)) drop_given(unit);
      return;
    case StorePreserve::restart:
      if (over_for_good(record)) drop_given(unit);
      return;
    case StorePreserve::always:
      return;
  }
}

/// What no process has had yet is there for the next one, whenever that comes.
void Descriptors::drop_given(UnitIndex unit) {
  const auto unwanted = [](const Held& held) { return !is_socket(held) && held.what.given; };
  if (table_.drop_if(unit, unwanted) > 0) counts_changed_(unit);
}

Result<void> Descriptors::open_sockets(UnitIndex unit) {
  const auto sockets = sockets_of(core_.set()[unit]);
  bool changed = false;
  Result<void> outcome;
  close_unfit(unit);
  for (size_t i = 0; i < sockets.size() && outcome; ++i) {
    const int socket = static_cast<int>(i);
    if (socket_of(unit, socket) != nullptr) continue;
    changed = true;
    if (!claim_inherited(unit, socket)) outcome = open_one(unit, socket);
  }
  if (changed) counts_changed_(unit);
  return outcome;
}

Result<void> Descriptors::open_one(UnitIndex unit, int socket) {
  const UnitSpec& spec = core_.set()[unit];
  const SocketSpec& wanted = sockets_of(spec)[static_cast<size_t>(socket)];
  if (auto room = table_.room(unit); !room) return room;
  const bool file_was_there = is_fifo_there(wanted);
  auto opened = open_socket(wanted);
  if (!opened) return std::unexpected(opened.error());
  Held& held = table_.add(unit,
                          {.origin = Origin::socket,
                           .file_was_there = file_was_there,
                           .since_real_ns = wall_clock_ns(),
                           .unit = spec.name,
                           .name = wanted.name},
                          std::move(*opened));
  held.socket = socket;
  return {};
}

/// What a running process has of a former manager, which had claimed it.
void Descriptors::claim_inherited(UnitIndex unit) {
  const int count = static_cast<int>(sockets_of(core_.set()[unit]).size());
  for (int socket = 0; socket < count; ++socket)
    if (socket_of(unit, socket) == nullptr) claim_inherited(unit, socket);
}

bool Descriptors::claim_inherited(UnitIndex unit, int socket) {
  const SocketSpec& wanted = sockets_of(core_.set()[unit])[static_cast<size_t>(socket)];
  const auto found = std::ranges::find_if(inherited_, [&](const auto& held) {
    return held->what.name == wanted.name && fits_spec(held->fd.get(), wanted);
  });
  if (found == inherited_.end()) return false;
  std::unique_ptr<Held> taken = std::move(*found);
  inherited_.erase(found);
  Held& held =
      table_.restore(unit, std::move(taken->what), std::move(taken->kept_as), std::move(taken->fd));
  held.socket = socket;
  return true;
}

void Descriptors::close_sockets(UnitIndex unit) {
  bool changed = false;
  for (Held* held : in_order(unit)) {
    if (!is_socket(*held)) continue;
    changed = true;
    let_go(*held);
  }
  if (changed) counts_changed_(unit);
}

/// Closes a socket with its file, or has one that was inherited be nobody's again.
void Descriptors::let_go(Held& held) {
  held.source = sd_event_source_disable_unref(held.source);
  if (held.what.origin == Origin::inherited) {
    held.socket = -1;
    inherited_.push_back(table_.release(held));
    return;
  }
  const Held* gone = &held;
  remove_file(held);
  table_.drop_if(held.unit, [gone](const Held& one) { return &one == gone; });
}

void Descriptors::remove_file(const Held& held) const {
  if (held.what.file_was_there) return;
  const auto sockets = sockets_of(core_.set()[held.unit]);
  remove_socket_file(sockets[static_cast<size_t>(held.socket)], held.fd.get());
}

bool Descriptors::close_former(UnitIndex unit) {
  const HeldTable::Row* row = table_.of(unit);
  if (row == nullptr) return false;
  for (const auto& held : *row)
    if (is_former(*held)) remove_former_file(held->what, held->fd.get());
  if (table_.drop_if(unit, is_former) == 0) return false;
  counts_changed_(unit);
  return true;
}

/// Nobody can reach the service by a socket whose file is gone, nor by one that was shut down.
void Descriptors::close_unfit(UnitIndex unit) {
  const auto sockets = sockets_of(core_.set()[unit]);
  bool closed = false;
  for (Held* held : in_order(unit)) {
    if (!is_socket(*held)) continue;
    const SocketSpec& wanted = sockets[static_cast<size_t>(held->socket)];
    if (fits_spec(held->fd.get(), wanted)) continue;
    log(Level::warning, "a socket cannot be used any more, and is opened anew",
        {{"unit", core_.set()[unit].name}, {"name", wanted.name}, {"listen", wanted.listen}});
    let_go(*held);
    closed = true;
  }
  if (closed) keeper_.await_drops();
}

void Descriptors::listen(UnitIndex unit) {
  auto opened = open_sockets(unit);
  if (opened) opened = watch(unit);
  if (!opened) return queue_(core::ListenFailed{unit, std::move(opened.error().message)});
  if (!core_.record(unit).ready) queue_(core::Listening{unit});
}

Result<void> Descriptors::watch(UnitIndex unit) {
  // Of a socket that foster accepts from, everything that comes is of interest.
  const bool accepts = accepts_connections(core_.set()[unit]);
  for (Held* held : in_order(unit)) {
    if (!is_socket(*held)) continue;
    held->owner = this;
    int r = 0;
    if (held->source == nullptr)
      r = sd_event_add_io(loop_, &held->source, held->fd.get(), EPOLLIN, connection_came, held);
    if (r >= 0)
      r = sd_event_source_set_enabled(held->source, accepts ? SD_EVENT_ON : SD_EVENT_ONESHOT);
    // What cannot be accepted, nor closed for want of a descriptor, must not keep the loop busy.
    if (r >= 0 && accepts) r = sd_event_source_set_ratelimit(held->source, kSecondUs, kWakesMax);
    if (r < 0) return system_failure("watch the socket " + held->what.name, -r);
  }
  return {};
}

void Descriptors::unwatch(UnitIndex unit) {
  for (Held* held : in_order(unit))
    if (is_socket(*held)) held->source = sd_event_source_disable_unref(held->source);
}

int Descriptors::connection_came(sd_event_source*, int fd, uint32_t, void* held) {
  const UnitIndex unit = static_cast<Held*>(held)->unit;
  Descriptors& self = *static_cast<Held*>(held)->owner;
  const UnitSpec& spec = self.core_.set()[unit];
  if (accepts_connections(spec)) {
    const auto socket = static_cast<size_t>(static_cast<Held*>(held)->socket);
    self.acceptor_.connection_came(unit, sockets_of(spec)[socket], fd);
    return 0;
  }
  // One start takes what has come to any of them.
  self.unwatch(unit);
  self.queue_(core::ConnectionSeen{unit});
  return 0;
}

}  // namespace foster::manager
