#include "daemon/manager/lookout.hpp"

#include <algorithm>
#include <utility>

#include "daemon/manager/conditions.hpp"
#include "daemon/manager/errand.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/output_watch.hpp"

namespace foster::manager {
namespace {

/// Whether processes of this role may be heard on the unit's socket.
bool gets_notify_socket(const UnitSpec& unit, core::Role role) {
  if (!uses_notify(unit)) return false;
  return runs_service(role) || unit.notify_access != NotifyAccess::main;
}

Result<void> pass_ready_pipe(const ReadySpec& ready, UniqueFd pipe, SpawnExtras& extras) {
  const int number = ready.descriptor >= 0 ? ready.descriptor : free_number(extras);
  if (std::ranges::find(extras.descriptors, number, &PassedDescriptor::number) !=
      extras.descriptors.end())
    return failure("pass the pipe of [ready]", "its number, " + std::to_string(number) +
                                                   ", is that of one of the unit's descriptors");
  extras.descriptors.push_back({number, std::move(pipe)});
  if (!ready.descriptor_variable.empty())
    extras.environment.emplace_back(ready.descriptor_variable, std::to_string(number));
  return {};
}

}  // namespace

Lookout::Lookout(KeeperClient& keeper, const core::Supervisor& core,
                 const Surroundings& surroundings, std::function<void(core::Event)> queue)
    : core_(core),
      runtime_dir_(surroundings.runtime_dir),
      tap_(surroundings.tap),
      inherited_(surroundings.inherited),
      queue_(std::move(queue)),
      notify_(keeper, core,
              {surroundings.runtime_dir, surroundings.instance, queue_, surroundings.keep}),
      readiness_(keeper, core, queue_),
      finder_(core, {surroundings.keeper, surroundings.instance, queue_,
                     [this] { return known_pids(); }}),
      kin_ender_({surroundings.keeper, queue_,
                  [this](UnitIndex unit, Attempt attempt, const ProcessFacts& process) {
                    return finder_.is_kin(unit, attempt, process);
                  }}),
      memory_(surroundings.keeper, [this] { return known_pids(); }) {}

Result<void> Lookout::attach(sd_event* loop, std::vector<HandedDescriptor>& kept) {
  readiness_.attach(loop, kept);
  finder_.attach(loop);
  kin_ender_.attach(loop);
  return notify_.attach(loop, kept);
}

void Lookout::resume() {
  for (uint32_t i = 0; i < core_.set().size(); ++i)
    if (const auto resumed = readiness_.resume({i}, core_.record({i})); !resumed)
      log(Level::error, "readiness is not watched for any more",
          {{"unit", core_.set()[{i}].name}, {"why", resumed.error().message}});
  readiness_.takeover_ended();
}

Result<void> Lookout::add_to(SpawnExtras& extras, const core::Spawn& spawn) {
  const UnitSpec& unit = core_.set()[spawn.unit];
  if (gets_notify_socket(unit, spawn.role)) {
    if (auto opened = notify_.open(spawn.unit); !opened) return std::unexpected(opened.error());
    extras.environment.emplace_back("NOTIFY_SOCKET", notify_socket_path(runtime_dir_, unit.name));
  }
  UniqueFd matched;
  if (runs_service(spawn.role) && unit.ready) {
    auto pipe = readiness_.begin(spawn.unit, spawn.attempt);
    if (!pipe) return std::unexpected(pipe.error());
    if (unit.ready->kind == ReadyKind::output)
      matched = std::move(*pipe);
    else if (*pipe)
      if (auto passed = pass_ready_pipe(*unit.ready, std::move(*pipe), extras); !passed)
        return passed;
  }
  return watch_output(unit, spawn.role, runtime_dir_, tap_, std::move(matched), extras);
}

void Lookout::spawned(UnitIndex unit, Attempt attempt, int32_t pid) {
  if (core_.set()[unit].type == ServiceType::forking) finder_.spawned(attempt, pid);
}

void Lookout::ended(UnitIndex unit, Attempt attempt, int32_t pid) {
  notify_.drain(unit, attempt, pid);
}

void Lookout::adopted(const core::Adopt& adopt) {
  readiness_.moved(adopt.from, adopt.attempt);
}

void Lookout::acknowledged(Attempt attempt) {
  readiness_.forget(attempt);
  finder_.forget(attempt);
}

void Lookout::find_main(const core::FindMain& asked) {
  finder_.find(asked);
}

void Lookout::end_kin(const core::EndKin& asked) {
  kin_ender_.end(asked);
}

void Lookout::check(const core::CheckConditions& asked) {
  queue_(check_conditions(asked, core_.set()[asked.unit], inherited_));
}

void Lookout::measure(const core::MeasureMemory& asked) {
  const uint64_t bytes = memory_.measure(core_.record(asked.unit).pid);
  queue_(core::MemoryMeasured{asked.unit, asked.attempt, bytes});
}

std::vector<int32_t> Lookout::known_pids() const {
  std::vector<int32_t> pids;
  for (uint32_t i = 0; i < core_.set().size(); ++i) {
    const core::UnitRecord& record = core_.record({i});
    for (const int32_t pid :
         {record.pid, record.hook.pid, record.check.pid, record.successor.pid, record.former.pid})
      if (pid > 0) pids.push_back(pid);
  }
  std::ranges::sort(pids);
  return pids;
}

void Lookout::turn_ended() {
  notify_.turn_ended();
  readiness_.turn_ended();
  memory_.turn_ended();
}

void Lookout::remove() {
  notify_.remove();
}

}  // namespace foster::manager
