#include "daemon/manager/manager.hpp"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <utility>

#include "common/check.hpp"
#include "common/instance.hpp"
#include "common/signal_name.hpp"
#include "daemon/manager/leftovers.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/report.hpp"
#include "daemon/manager/role_command.hpp"

namespace foster::manager {
namespace {

constexpr int kSignalExitBase = 128;

/// timeout(1) and others signal the process and then its group: that is one wish to stop, not a
/// second, which would hurry.
constexpr Duration kSameSignal = std::chrono::milliseconds(200);

/// For what is being written to the disk when everything is stopped.
constexpr Duration kTimeToSave = std::chrono::seconds(10);

/// Overloads for std::visit.
template <class... Functions>
struct Match : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Match(Functions...) -> Match<Functions...>;  // clang 16 does not deduce it by itself

Now present() {
  return {now_since_boot(), wall_clock_ns()};
}

core::LastExit last_exit_of(const protocol::Exited& exited, Now now) {
  const int status = exited.wait_status;
  core::LastExit how;
  if (WIFSIGNALED(status)) {
    how.kind = WCOREDUMP(status) ? core::ExitKind::core_dump : core::ExitKind::signal;
    how.value = WTERMSIG(status);
  } else {
    how.kind = core::ExitKind::code;
    how.value = WEXITSTATUS(status);
  }
  how.at = {exited.at_boot_ns};
  how.at_real_ns = now.real_ns - (now.boot.ns - exited.at_boot_ns);
  how.user_us = exited.user_us;
  how.system_us = exited.system_us;
  how.max_rss_kib = exited.max_rss_kib;
  return how;
}

/// foster-probe and the like stand beside this program.
std::string own_program(const char* name) {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? name : self.parent_path() / name;
}

std::string spawn_error_text(const protocol::SpawnFailed& failed, const UnitSpec& unit,
                             const Errand& errand) {
  std::string text = std::string("cannot ") + protocol::step_text(failed.step);
  if (failed.step == protocol::Step::execute)
    text += " " + role_command(unit, errand.role, errand.index, "foster-probe").words.front();
  if (failed.step == protocol::Step::working_directory)
    text += " " + unit.working_directory.value_or("/");
  return text + ": " + strerrordesc_np(failed.error);
}

}  // namespace

Manager::Manager(KeeperClient& keeper, Holdings holdings, const char* const* inherited)
    : keeper_(keeper),
      holdings_(std::move(holdings)),
      core_(holdings_.set, {.seed = static_cast<uint64_t>(now_since_boot().ns)}),
      publisher_(std::move(holdings_.writer), [this](UnitIndex unit) { return slot_facts(unit); }),
      settings_(keeper, background_, holdings_.settings_file, std::move(holdings_.settings)),
      timers_(
          holdings_.set, holdings_.started, settings_,
          [this](core::Event event) { queue(std::move(event)); },
          [this](UnitIndex unit) { publisher_.facts_changed(unit); }),
      renewal_(keeper, background_, settings_, holdings_.options, std::move(holdings_.texts),
               !holdings_.strays.empty()),
      descriptors_(
          keeper, core_, [this](core::Event event) { queue(std::move(event)); },
          [this](UnitIndex unit) { publisher_.facts_changed(unit); }),
      lookout_(keeper, core_,
               {holdings_.home.path(), holdings_.instance_name, own_program("foster-tap"),
                holdings_.keeper.keeper_pid, inherited,
                [this](UnitIndex unit, const StoreWish& wish, std::vector<UniqueFd> fds) {
                  store(unit, wish, std::move(fds));
                }},
               [this](core::Event event) { queue(std::move(event)); }),
      executor_(
          keeper, core_,
          {holdings_.instance_name, holdings_.invocation, own_program("foster-probe"), inherited},
          [this](const core::Spawn& spawn) { return extras(spawn); },
          [this](core::Event event) { queue(std::move(event)); }),
      bus_(holdings_.set, bus_shell()),
      systemd_([this](const std::string& text, int fd) { keeper_.notify_supervisor(text, fd); }) {}

Manager::~Manager() {
  sd_event_source_disable_unref(keeper_source_);
  sd_event_source_disable_unref(timer_);
  sd_event_source_disable_unref(again_);
  // Ours alone: what the members below watch keeps the loop until they are gone too.
  sd_event_unref(loop_);
}

Result<void> Manager::attach() {
  int r = sd_event_new(&loop_);
  if (r < 0) return system_failure("make the event loop", -r);
  r = sd_event_add_io(loop_, &keeper_source_, keeper_.socket(), EPOLLIN, keeper_spoke, this);
  if (r < 0) return system_failure("watch the keeper", -r);
  r = sd_event_add_time(loop_, &timer_, CLOCK_BOOTTIME, 0, 1, deadline_reached, this);
  if (r >= 0) r = sd_event_source_set_enabled(timer_, SD_EVENT_OFF);
  if (r < 0) return system_failure("make a timer", -r);
  r = sd_event_add_defer(loop_, &again_, more_to_do, this);
  if (r >= 0) r = sd_event_source_set_enabled(again_, SD_EVENT_OFF);
  if (r < 0) return system_failure("make an event source", -r);
  if (auto listening = lookout_.attach(loop_, holdings_.descriptors); !listening) return listening;
  descriptors_.attach(loop_, holdings_.descriptors);
  background_.attach(loop_);
  timers_.attach(loop_);
  if (auto served = bus_.attach(loop_, std::move(holdings_.control)); !served) return served;
  if (auto watched = publisher_.watch(loop_, region_object_name(holdings_.instance)); !watched)
    return watched;
  return systemd_.attach(loop_);
}

Result<int> Manager::run() {
  if (auto attached = attach(); !attached) return std::unexpected(attached.error());
  begin();
  while (!ended_) {
    int r = sd_event_prepare(loop_);
    if (r == 0) r = sd_event_wait(loop_, UINT64_MAX);
    if (r < 0) return system_failure("wait for events", -r);
    if (r == 0) continue;
    publisher_.turn_started(now_since_boot());
    r = sd_event_dispatch(loop_);
    if (r < 0) return system_failure("dispatch events", -r);
    if (!ended_) turn();
    publisher_.turn_ended();
  }
  return *ended_;
}

void Manager::begin() {
  const bool first = holdings_.keeper.manager_restarts == 0;
  log(Level::info, first ? "fosterd started" : "the manager was started again",
      {{"instance", holdings_.instance},
       {"version", FOSTER_VERSION},
       {"units", holdings_.set->size()},
       {"keeper", holdings_.keeper.keeper_pid}});
  foster_event started{};
  started.boot_ns = now_since_boot().ns;
  started.real_ns = wall_clock_ns();
  started.kind = FOSTER_EVENT_MANAGER;
  started.pid = getpid();
  started.value = static_cast<int32_t>(holdings_.keeper.manager_restarts);
  publisher_.note(started);
  core_.recover(holdings_.recovered, now_since_boot());
  queue(core::Begin{.first_manager = first, .initial = std::move(holdings_.initial)});
  lookout_.resume();
  descriptors_.resume();
  begin_timers();
  keeper_.ready();
  // The news that came with the hand-over are part of the first turn: a service that has ended
  // meanwhile is not taken for a running one.
  keeper_spoke(nullptr, keeper_.socket(), EPOLLIN, this);
  if (!ended_) turn();
  // What only the start needed goes back to the system: a manager may run for years after it.
  holdings_.recovered = {};
  std::unordered_map<uint32_t, SlotFacts>().swap(holdings_.remembered);
  std::vector<HandedDescriptor>().swap(holdings_.descriptors);
  malloc_trim(0);
}

int Manager::keeper_spoke(sd_event_source*, int, uint32_t, void* self) {
  auto& manager = *static_cast<Manager*>(self);
  std::vector<KeeperNews> arrived;
  const auto state = manager.keeper_.receive(arrived);
  for (const KeeperNews& news : arrived)
    manager.take(news);
  if (state == KeeperClient::State::closed) manager.keeper_is_gone();
  return 0;
}

int Manager::deadline_reached(sd_event_source*, uint64_t, void*) {
  return 0;  // Every turn does what has fallen due.
}

int Manager::more_to_do(sd_event_source*, void*) {
  return 0;  // As above: the queue is drained by the turn.
}

void Manager::turn() {
  const Now now = present();
  std::vector<core::Action> actions;
  std::vector<UnitIndex> changed = decide(now, actions);
  for (const core::Action& action : actions)
    foretell(action, now);
  publish(std::move(changed), phase(), now);
  for (const core::Action& action : actions)
    perform(action);
  tell_systemd();
  lookout_.turn_ended();
  executor_.turn_ended();
  bus_.turn_ended();
  settings_.turn_ended();
  timers_.arm();
  end_once_saved(now.boot);
  arm();
  flush_log();
  const bool idle = queue_.empty() && !background_.busy();
  const bool another_set = renewal_.ready() || strays_are_gone();
  if (another_set && idle && !core_.shutting_down() && !ended_) start_afresh();
}

/// What has come, and what is due. Whether the sockets of a unit that is to listen can be had
/// belongs to the same turn: whoever sees it listening may connect.
std::vector<UnitIndex> Manager::decide(Now now, std::vector<core::Action>& actions) {
  const auto handle = [&](const core::Event& event) {
    core_.handle(event, now.boot, now.real_ns, actions);
  };
  std::ranges::for_each(std::exchange(queue_, {}), handle);
  core_.time_reached(now.boot, now.real_ns, actions);
  if (command_was_stopped()) handle(core::ShutdownRequest{0});
  std::vector<UnitIndex> changed = core_.take_changed();
  descriptors_.units_changed(changed);
  while (!queue_.empty()) {
    std::ranges::for_each(std::exchange(queue_, {}), handle);
    const std::vector<UnitIndex> more = core_.take_changed();
    descriptors_.units_changed(more);
    changed.insert(changed.end(), more.begin(), more.end());
  }
  std::ranges::sort(changed);
  const auto doubled = std::ranges::unique(changed);
  changed.erase(doubled.begin(), doubled.end());
  return changed;
}

/// Whoever sees a unit stopped may have its port.
void Manager::publish(std::vector<UnitIndex> changed, uint32_t phase, Now now) {
  keeper_.await_drops();
  publisher_.publish(core_, std::move(changed), phase, now);
  if (stops_taken_.empty()) return;
  // Not before, and at once: a successor learns of them from the region or from the keeper.
  for (const int signal : std::exchange(stops_taken_, {}))
    keeper_.signal_taken(signal);
  keeper_.flush();
}

Result<SpawnExtras> Manager::extras(const core::Spawn& spawn) {
  SpawnExtras extras;
  // The sockets have the first numbers: LISTEN_FDS knows no others.
  if (auto added = descriptors_.add_to(extras, spawn); !added)
    return std::unexpected(std::move(added.error()));
  if (auto added = lookout_.add_to(extras, spawn); !added)
    return std::unexpected(std::move(added.error()));
  return extras;
}

void Manager::store(UnitIndex unit, const StoreWish& wish, std::vector<UniqueFd> fds) {
  if (wish.store) descriptors_.store(unit, wish.name, std::move(fds), wish.poll);
  if (wish.remove) descriptors_.store_remove(unit, wish.name);
}

void Manager::foretell(const core::Action& action, Now now) {
  if (const auto* said = std::get_if<core::Note>(&action)) note(*said, now);
  const auto* spawn = std::get_if<core::Spawn>(&action);
  if (spawn != nullptr && spawn->role == core::Role::main) timers_.started(spawn->unit, now.boot);
}

void Manager::perform(const core::Action& action) {
  std::visit(
      Match{[this](const core::Spawn& spawn) {
              holdings_.attempts[spawn.attempt.value] = {spawn.unit, spawn.role, spawn.index};
              executor_.spawn(spawn);
            },
            [this](const core::Adopt& adopt) {
              holdings_.attempts[adopt.attempt.value] = {adopt.unit};
              lookout_.adopted(adopt);
              executor_.adopt(adopt);
            },
            [this](const core::Kill& kill) { executor_.kill(kill); },
            [this](const core::Acknowledge& end) {
              holdings_.attempts.erase(end.attempt.value);
              lookout_.acknowledged(end.attempt);
              executor_.acknowledge(end);
            },
            [this](const core::Reply& reply) { bus_.answer(reply); },
            [this](const core::FindMain& wanted) { lookout_.find_main(wanted); },
            [this](const core::EndKin& wanted) { lookout_.end_kin(wanted); },
            [this](const core::CheckConditions& wanted) { lookout_.check(wanted); },
            [this](const core::MeasureMemory& wanted) { lookout_.measure(wanted); },
            [](const core::Note&) {},  // published already
            [this](const core::InitialUnitsSettled&) { systemd_.ready(); },
            [this](const core::EndDaemon& last) {
              ending_ = {last.exit_code, now_since_boot() + kTimeToSave};
            }},
      action);
}

void Manager::note(const core::Note& note, Now now) {
  publisher_.note(note, core_, now);
  report(note, note.about_unit ? core_.set()[note.unit].name : std::string());
}

std::optional<Errand> Manager::errand(uint64_t attempt) const {
  const auto found = holdings_.attempts.find(attempt);
  if (found != holdings_.attempts.end()) return found->second;
  // Acknowledged already: news of it that were under way then say nothing new.
  return std::nullopt;
}

void Manager::take(const KeeperNews& news) {
  if (const auto* signal = std::get_if<protocol::SignalNumber>(&news))
    return take_signal(signal->signal);
  const uint64_t attempt =
      std::visit(Match{[](const protocol::SignalNumber&) { return uint64_t{0}; },
                       [](const auto& of_attempt) { return uint64_t{of_attempt.attempt}; }},
                 news);
  const auto known = errand(attempt);
  if (!known) return;
  const auto* spawned = std::get_if<protocol::Spawned>(&news);
  if (spawned != nullptr && known->role == core::Role::main)
    lookout_.spawned(known->unit, {attempt}, spawned->pid);
  if (const auto* exited = std::get_if<protocol::Exited>(&news))
    lookout_.ended(known->unit, {attempt}, exited->pid);
  queue(event_of(news, *known));
  // There is nothing to acknowledge.
  if (std::holds_alternative<protocol::AdoptFailed>(news)) holdings_.attempts.erase(attempt);
}

core::Event Manager::event_of(const KeeperNews& news, const Errand& of) const {
  const UnitIndex unit = of.unit;
  return std::visit(
      Match{
          [&](const protocol::Spawned& spawned) -> core::Event {
            return core::Spawned{unit, {spawned.attempt}, spawned.pid};
          },
          [&](const protocol::SpawnFailed& failed) -> core::Event {
            return core::SpawnFailed{unit,
                                     {failed.attempt},
                                     failed.error,
                                     spawn_error_text(failed, core_.set()[unit], of)};
          },
          [&](const protocol::Exited& exited) -> core::Event {
            return core::Exited{
                unit, {exited.attempt}, last_exit_of(exited, present()), exited.group_remains != 0};
          },
          [&](const protocol::GroupEmptied& emptied) -> core::Event {
            return core::GroupEmptied{unit, {emptied.attempt}};
          },
          [&](const protocol::KillFailed& failed) -> core::Event {
            return core::KillFailed{unit, {failed.attempt}, failed.signal, failed.error};
          },
          [&](const protocol::AdoptFailed& failed) -> core::Event {
            return core::AdoptFailed{unit, {failed.attempt}, failed.error};
          },
          [](const protocol::SignalNumber&) -> core::Event { FOSTER_CHECK(false); }},
      news);
}

void Manager::take_signal(int signal) {
  const bool ends = signal == SIGTERM || signal == SIGINT || signal == SIGPWR ||
                    (signal == SIGHUP && !holdings_.command && isatty(STDIN_FILENO) == 1);
  log(Level::info, ends ? "told to stop" : "got a signal", {{"signal", signal_name(signal)}});
  if (!ends) {
    keeper_.signal_taken(signal);
    return forward_to_command(signal);
  }
  stops_taken_.push_back(signal);
  const Instant before = std::exchange(told_to_stop_, now_since_boot());
  if (before.ns != 0 && told_to_stop_ - before < kSameSignal) return;
  queue(core::ShutdownRequest{0});
}

void Manager::forward_to_command(int signal) {
  if (!holdings_.command) return;
  const core::UnitRecord& command = core_.record(*holdings_.command);
  if (command.pid > 0) keeper_.kill(command.attempt, signal, false, false);
}

void Manager::arm() {
  const auto next = ending_ ? std::optional(ending_->not_later_than) : core_.next_deadline();
  int r = 0;
  if (next) {
    // Rounded up: a timer that fires before its deadline finds nothing to do and is armed again.
    r = sd_event_source_set_time(timer_, static_cast<uint64_t>(next->ns + 999) / 1000);
    if (r >= 0) r = sd_event_source_set_enabled(timer_, SD_EVENT_ONESHOT);
  } else {
    r = sd_event_source_set_enabled(timer_, SD_EVENT_OFF);
  }
  FOSTER_CHECK(r >= 0);
  if (!queue_.empty()) FOSTER_CHECK(sd_event_source_set_enabled(again_, SD_EVENT_ONESHOT) >= 0);
}

uint32_t Manager::phase() const {
  if (core_.shutting_down()) return FOSTER_PHASE_STOPPING;
  return core_.settled() ? FOSTER_PHASE_RUNNING : FOSTER_PHASE_STARTING;
}

void Manager::tell_systemd() {
  if (core_.shutting_down()) systemd_.stopping();
  if (systemd_.wanted()) systemd_.status(summary(core_));
}

bool Manager::command_was_stopped() const {
  if (!holdings_.command || core_.shutting_down()) return false;
  const core::UnitRecord& command = core_.record(*holdings_.command);
  return command.goal == core::Goal::down && core::at_rest(command.state);
}

int Manager::command_exit_code(int otherwise) const {
  if (!holdings_.command) return otherwise;
  const core::LastExit& last = core_.record(*holdings_.command).last_exit;
  switch (last.kind) {
    case core::ExitKind::code:
      return last.value;
    case core::ExitKind::signal:
    case core::ExitKind::core_dump:
      return kSignalExitBase + last.value;
    case core::ExitKind::spawn:
    case core::ExitKind::none:
      break;
  }
  return otherwise;
}

/// A disk that hangs must not keep the machine from being shut down.
void Manager::end_once_saved(Instant now) {
  if (!ending_ || ended_) return;
  const bool late = background_.busy() && now >= ending_->not_later_than;
  if (late) log(Level::error, "what was to be kept could not be written in time");
  if (late || !background_.busy()) end(ending_->exit_code);
}

void Manager::end(int exit_code) {
  const int code = command_exit_code(exit_code);
  log(Level::info, "everything is stopped; fosterd ends", {{"exit_code", code}});
  publish(core_.take_changed(), FOSTER_PHASE_DOWN, present());
  publisher_.remove();
  bus_.turn_ended();
  bus_.close();
  lookout_.remove();
  holdings_.home.remove();
  keeper_.finish(code);
  keeper_.flush();
  flush_log();
  ended_ = 0;
}

bool Manager::strays_are_gone() const {
  const auto rests = [this](UnitIndex unit) { return core::at_rest(core_.record(unit).state); };
  return !holdings_.strays.empty() && std::ranges::all_of(holdings_.strays, rests);
}

void Manager::start_afresh() {
  log(Level::info, "the unit set is another; the manager starts itself afresh");
  bus_.close();
  keeper_.again();
  keeper_.flush();
  flush_log();
  ended_ = 0;
}

void Manager::keeper_is_gone() {
  // The main processes end with it (PR_SET_PDEATHSIG), all others by us. What is left of the
  // instance is cleared away, so that the next fosterd starts clean and doubles nothing.
  log(Level::error, "the keeper is gone; the manager ends its services and itself",
      {{"keeper", holdings_.keeper.keeper_pid}});
  end_leftovers(holdings_.invocation);
  publisher_.remove();
  bus_.close();
  lookout_.remove();
  holdings_.home.remove();
  flush_log();
  ended_ = 1;
}

}  // namespace foster::manager
