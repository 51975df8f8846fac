#include "daemon/manager/strays.hpp"

#include <algorithm>
#include <charconv>

#include "common/unit/graph.hpp"
#include "common/unit/unit_name.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/unit_loader.hpp"

namespace foster::manager {
namespace {

using Names = std::vector<std::string>;

void append(std::vector<Reference>& to, const std::vector<Reference>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// What it depends on still matters for the order in which things stop, and for nothing else: it
/// must not start anything, nor be started for the sake of anything.
DependsSpec order_of(const DependsSpec& said) {
  DependsSpec order;
  order.after = said.after;
  append(order.after, said.requires_units);
  append(order.after, said.binds_to);
  append(order.after, said.completed);
  order.before = said.before;
  append(order.before, said.required_by);
  return order;
}

UnitSpec to_be_stopped(UnitSpec unit) {
  unit.description = "Runs, but no unit file describes it any more";
  unit.enabled = false;
  unit.essential = false;
  unit.restart.policy = RestartPolicy::never;
  unit.restart.force_exit_codes.clear();
  unit.timer = Boxed<TimerSpec>();
  if (unit.hooks) unit.hooks.make().on_failure.reset();
  if (unit.depends) unit.depends.make() = order_of(*unit.depends);
  return unit;
}

UnitSpec unknown(const std::string& name) {
  UnitSpec unit;
  unit.name = name;
  unit.command = {"/nonexistent"};
  return to_be_stopped(std::move(unit));
}

/// As many instances of each template as it takes to have these among them.
InstanceCounts counts_for(const Names& names) {
  InstanceCounts counts;
  for (const std::string& name : names) {
    const std::string_view instance = instance_of(name);
    uint32_t number = 0;
    const auto [end, error] =
        std::from_chars(instance.data(), instance.data() + instance.size(), number);
    if (instance.empty() || error != std::errc{} || end != instance.data() + instance.size())
      continue;
    uint32_t& count = counts[std::string(prefix_of(name))];
    count = std::max(count, number);
  }
  return counts;
}

/// Moves what the set knows from `missing` to `found`.
void find_in(const UnitSet& set, Names& missing, std::vector<UnitSpec>& found) {
  std::erase_if(missing, [&](const std::string& name) {
    const auto unit = set.find(name);
    if (unit) found.push_back(to_be_stopped(set[*unit]));
    return unit.has_value();
  });
}

void find_in(int texts, const Options& options, Names& missing, std::vector<UnitSpec>& found) {
  for (const InstanceCounts& counts : {InstanceCounts{}, counts_for(missing)}) {
    if (missing.empty()) return;
    const auto loaded = reload_kept_units(texts, options, counts);
    if (!loaded)
      log(Level::warning, loaded.error().message);
    else if (loaded->checked.set)
      find_in(*loaded->checked.set, missing, found);
  }
}

}  // namespace

std::shared_ptr<const UnitSet> with_strays(std::shared_ptr<const UnitSet> set, const Names& names,
                                           std::span<const int> texts, const Options& options) {
  if (names.empty()) return set;
  Names missing = names;
  std::vector<UnitSpec> strays;
  for (const int memfd : texts)
    find_in(memfd, options, missing, strays);
  for (const std::string& name : missing)
    strays.push_back(unknown(name));
  std::vector<UnitSpec> units = set->units();
  units.insert(units.end(), strays.begin(), strays.end());
  std::ranges::sort(units, {}, &UnitSpec::name);
  // The order of then and the order of now may contradict each other.
  if (Graph(units).start_order(units.size()).empty()) {
    for (UnitSpec& unit : units)
      if (!set->find(unit.name)) unit.depends = Boxed<DependsSpec>();
  }
  return std::make_shared<const UnitSet>(std::move(units));
}

}  // namespace foster::manager
