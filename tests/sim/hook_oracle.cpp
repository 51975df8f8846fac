#include "tests/sim/hook_oracle.hpp"

#include <string>

#include "tests/sim/describe.hpp"

namespace foster::sim {

using core::Role;

void HookOracle::performed(const core::Spawn& spawn) {
  Run& run = runs_[spawn.unit.value];
  const bool prepared = hook_of(set_[spawn.unit], HookPoint::pre_start) != nullptr;
  switch (spawn.role) {
    case Role::pre_start:
      if (spawn.index == 0) begin(spawn.unit);
      break;
    case Role::main:
      if (spawn.index == 0 && !prepared) begin(spawn.unit);
      if (spawn.index == 0 && run.main && !run.unknown) {
        verdict_.fail(spawn.unit, "its command runs twice in a run");
      }
      if (run.post_stop > 0 && !run.unknown)
        verdict_.fail(spawn.unit, "its command comes after post-stop");
      run.main = true;
      break;
    case Role::post_start:
      return count(spawn, run.post_start);
    case Role::pre_stop:
      return count(spawn, run.pre_stop);
    case Role::stop:
      return count(spawn, run.stop);
    case Role::post_stop:
      if (!run.begun && !run.unknown) verdict_.fail(spawn.unit, "post-stop of a run not begun");
      return count(spawn, run.post_stop);
    case Role::condition:
    case Role::reload:
    case Role::ready_check:
    case Role::health_check:
      break;
    case Role::successor:  // where the old one ends early, it is on its way up as after a start
      run.post_start = 0;
      break;
  }
}

void HookOracle::lost(const core::Spawn& spawn) {
  const bool begins = spawn.role == Role::pre_start || spawn.role == Role::main;
  // A successor may have become the main process by then, and is spawned as that.
  const bool succeeds = spawn.role == Role::successor;
  if ((begins && spawn.index == 0) || succeeds) runs_[spawn.unit.value].unknown = true;
}

void HookOracle::begin(UnitIndex unit) {
  ended(unit);
  runs_[unit.value] = {.begun = true};
}

void HookOracle::count(const core::Spawn& spawn, uint16_t& ran) {
  const Run& run = runs_[spawn.unit.value];
  if (run.unknown) return;
  const std::string name = text(spawn.role);
  if (spawn.index < ran) verdict_.fail(spawn.unit, name + " runs twice in a run");
  if (spawn.index > ran) verdict_.fail(spawn.unit, name + " leaves out a command");
  ran = static_cast<uint16_t>(spawn.index + 1);
}

void HookOracle::ended(UnitIndex unit) {
  const Run& run = runs_[unit.value];
  if (hurried_ || run.unknown || !run.begun || run.post_stop > 0) return;
  if (hook_of(set_[unit], HookPoint::post_stop) == nullptr) return;
  verdict_.fail(unit, "a run ended without post-stop");
}

void HookOracle::region_lost() {
  for (Run& run : runs_)
    run.unknown = true;
}

}  // namespace foster::sim
