#include "daemon/manager/takeover.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "common/instance.hpp"
#include "common/region/reader.hpp"
#include "daemon/core/recovery.hpp"
#include "daemon/manager/leftovers.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/renewal.hpp"
#include "daemon/manager/slot_codec.hpp"
#include "daemon/manager/strays.hpp"
#include "daemon/manager/unit_loader.hpp"

namespace foster::manager {
namespace {

// Names of what the keeper holds for its managers. The slash keeps them apart from units'
// descriptors.
constexpr char kLock[] = "foster/lock";
constexpr char kControl[] = "foster/control";

constexpr int kCannotStart = 1;

/// What the former manager's slots said that is not the core's, by unit.
using RememberedFacts = std::unordered_map<uint32_t, SlotFacts>;

EndNow end_with(const Error& error) {
  return {kCannotStart, "fosterd: " + error.message + "\n"};
}

std::string mistakes_text(const std::vector<Diagnostic>& diagnostics) {
  const size_t count = diagnostics.size();
  return render_all(diagnostics) + "fosterd: cannot start: " + std::to_string(count) +
         (count == 1 ? " mistake" : " mistakes") + " in the unit files\n";
}

/// The same instance may have been started with another --runtime-dir, where its lock does not meet
/// ours; the region's name is the instance's alone. Of a daemon that is dead without having cleared
/// its region away, what it left behind is ended before anything is started.
Result<void> succeed_or_refuse(const std::string& id, pid_t keeper) {
  const auto reader = region::Reader::open(region_object_name(id), geteuid());
  if (!reader) return {};
  const foster_region_header header = reader->header();
  if (header.keeper_pid == keeper) return {};
  if (reader->keeper(now_since_boot()) == region::Liveness::dead) {
    end_leftovers(invocation_of(header));
    return {};
  }
  return failure(
      "start", "fosterd runs this instance already, with pid " + std::to_string(header.keeper_pid));
}

Result<void> take_lock(KeeperClient& keeper, Handover& handover, const InstanceHome& home,
                       const std::string& id) {
  if (handover.take(kLock)) return {};
  const auto lock = home.lock(handover.keeper.keeper_pid);
  if (!lock) return std::unexpected(lock.error());
  if (auto alone = succeed_or_refuse(id, handover.keeper.keeper_pid); !alone) return alone;
  keeper.store(kLock, lock->get());
  return {};
}

Result<UniqueFd> control_socket(KeeperClient& keeper, Handover& handover,
                                const InstanceHome& home) {
  UniqueFd kept = handover.take(kControl);
  if (kept) return kept;
  auto made = home.listen();
  if (made) keeper.store(kControl, made->get());
  return made;
}

Result<LoadedUnits> units(KeeperClient& keeper, Handover& handover, const Options& options,
                          const InstanceCounts& instances, UniqueFd& texts) {
  texts = handover.take(kKeptUnits);
  if (texts) return reload_kept_units(texts.get(), options, instances);
  auto loaded = load_units(options, instances);
  if (!loaded || !loaded->checked.set) return loaded;
  if (auto named = Enablement::check(*loaded->checked.set, options.start); !named)
    return std::unexpected(named.error());
  auto memory = keep_units(loaded->files);
  if (!memory) return std::unexpected(memory.error());
  texts = std::move(*memory);
  keeper.store(kKeptUnits, texts.get());
  return loaded;
}

SettingsFile settings_file(const Options& options, const std::string& id) {
  if (options.state_dir) return SettingsFile(*options.state_dir);
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  return SettingsFile(
      default_state_dir(id, geteuid() == 0, variable("XDG_STATE_HOME"), variable("HOME")));
}

/// Attempts whose plan the keeper could not read: it does not know whose they are, no process came
/// of them, and what had asked for them asks again.
void forget_nameless(KeeperClient& keeper, std::vector<protocol::Child>& children) {
  const auto nameless = [](const protocol::Child& child) {
    return child.unit[0] == '\0' && child.phase == protocol::ChildPhase::over;
  };
  for (const protocol::Child& child : children)
    if (nameless(child)) keeper.acknowledge({child.attempt}, false);
  std::erase_if(children, nameless);
}

struct FormerTexts {
  std::vector<uint32_t> numbers;  // ascending
  std::vector<UniqueFd> memfds;   // of these
};

FormerTexts former_texts(Handover& handover) {
  const std::string_view prefix = kFormerUnits;
  std::vector<std::pair<uint32_t, UniqueFd>> found;
  for (HandedDescriptor& held : handover.descriptors) {
    uint32_t number = 0;
    if (!held.name.starts_with(prefix)) continue;
    const char* end = held.name.data() + held.name.size();
    if (std::from_chars(held.name.data() + prefix.size(), end, number).ec == std::errc{})
      found.emplace_back(number, std::move(held.fd));
  }
  std::ranges::sort(found, {}, &std::pair<uint32_t, UniqueFd>::first);
  FormerTexts former;
  for (auto& [number, memfd] : found) {
    former.numbers.push_back(number);
    former.memfds.push_back(std::move(memfd));
  }
  return former;
}

std::vector<std::string> stray_names(const UnitSet& set,
                                     const std::vector<protocol::Child>& children) {
  std::vector<std::string> names;
  for (const protocol::Child& child : children)
    if (!set.find(child.unit)) names.emplace_back(child.unit);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

/// An attempt that is over still counts as live as long as its end has not been recorded: the
/// keeper's news of it follow, and the unit's restart policy has to see them.
bool unfinished(const protocol::Child& child, const core::RecoveredUnit& unit) {
  return child.phase != protocol::ChildPhase::over || !unit.record ||
         unit.record->exit_attempt.value < child.attempt;
}

/// The same of a hook or a check, whose end is recorded by its run being cleared.
bool unfinished(const protocol::Child& child, const core::RecoveredUnit& unit,
                core::SideRun core::UnitRecord::*run) {
  return child.phase != protocol::ChildPhase::over || !unit.record ||
         ((*unit.record).*run).attempt.value == child.attempt;
}

void add_live(core::RecoveredUnit& unit, const protocol::Child& child, core::Role role) {
  switch (role) {
    case core::Role::main:
    case core::Role::successor:
      if (!unfinished(child, unit)) return;
      return core::add_live_main(unit, {.attempt = {child.attempt},
                                        .role = role,
                                        .pid = child.pid,
                                        .last_signal = child.last_signal,
                                        .over = child.phase == protocol::ChildPhase::over});
    case core::Role::condition:
    case core::Role::pre_start:
    case core::Role::post_start:
    case core::Role::pre_stop:
    case core::Role::stop:
    case core::Role::post_stop:
    case core::Role::reload:
      if (unfinished(child, unit, &core::UnitRecord::hook) && child.attempt > unit.live_hook.value)
        unit.live_hook = {child.attempt};
      return;
    case core::Role::ready_check:
    case core::Role::health_check:
      if (unfinished(child, unit, &core::UnitRecord::check) &&
          child.attempt > unit.live_check.value)
        unit.live_check = {child.attempt};
      return;
  }
}

/// Units may have come and gone since: others have this index now.
uint32_t moved_blocker(uint32_t blocker, const std::vector<region::RememberedSlot>& slots,
                       const UnitSet& set) {
  if (blocker == 0 || blocker > slots.size()) return 0;
  const auto unit = set.find(slots[blocker - 1].name);
  return unit ? unit->value + 1 : 0;
}

void remember(core::Recovered& found, std::vector<core::RecoveredUnit>& units, const UnitSet& set,
              const region::Writer& writer, RememberedFacts& facts) {
  const std::vector<region::RememberedSlot> slots = writer.remembered();
  for (const region::RememberedSlot& slot : slots) {
    const auto unit = set.find(slot.name);
    if (!unit) continue;
    core::UnitRecord record = decode_slot(slot.body);
    record.blocker = moved_blocker(record.blocker, slots, set);
    units[unit->value].record = std::move(record);
    facts[unit->value] = {.timer_next_real_ns = slot.body.timer_next_real_ns,
                          .enablement = slot.body.enablement};
  }
  const foster_region_header& header = writer.header();
  found.last_attempt = {header.last_attempt};
  found.last_job = {header.last_job};
  found.shutting_down = header.phase == FOSTER_PHASE_STOPPING;
  found.exit_code = header.exit_code;
}

/// What the core is to begin with: the region's word on each unit, the keeper's on its children.
core::Recovered recover(const UnitSet& set, const Handover& handover, const region::Writer& writer,
                        const std::vector<std::string>& strays, RememberedFacts& facts) {
  core::Recovered found;
  std::vector<core::RecoveredUnit> units(set.size());
  for (uint32_t i = 0; i < units.size(); ++i)
    units[i].unit = {i};
  if (writer.adopted()) remember(found, units, set, writer, facts);
  found.last_attempt.value = std::max(found.last_attempt.value, handover.keeper.last_attempt);
  for (const protocol::Child& child : handover.children) {
    const UnitIndex unit = *set.find(child.unit);
    add_live(units[unit.value], child, errand_of(unit, child.tag).role);
  }
  for (const std::string& name : strays) {
    core::RecoveredUnit& unit = units[set.find(name)->value];
    unit.unwanted = true;
    if (core::was_known(unit)) continue;
    unit.record.emplace();
    unit.record->attempt = unit.live_attempt;
  }
  found.units = std::move(units);
  return found;
}

/// Whether no manager has decided about the unit's start yet, or it is back after it was gone.
bool is_new(const core::RecoveredUnit& unit, const RememberedFacts& facts) {
  const auto known = facts.find(unit.unit.value);
  const bool was_gone = known != facts.end() && known->second.enablement == FOSTER_GONE;
  return !core::was_known(unit) || was_gone;
}

/// What the first manager starts, and a later one of those that are new to it.
std::vector<UnitIndex> initial_units(const UnitSet& set, const Enablement& enablement,
                                     const core::Recovered& recovered,
                                     const RememberedFacts& facts) {
  std::vector<UnitIndex> units = enablement.initial(set);
  std::erase_if(units, [&](UnitIndex unit) { return !is_new(recovered.units[unit.value], facts); });
  return units;
}

std::vector<foster_edge> edges_of(const UnitSet& set) {
  std::vector<foster_edge> edges;
  edges.reserve(set.graph().edges().size());
  for (const Edge& edge : set.graph().edges())
    edges.push_back({edge.from.value, edge.to.value, static_cast<uint32_t>(edge.kind)});
  return edges;
}

std::vector<std::string> names_of(const UnitSet& set) {
  std::vector<std::string> names;
  names.reserve(set.size());
  for (const UnitSpec& unit : set.units())
    names.push_back(unit.name);
  return names;
}

std::optional<UnitIndex> command_of(const UnitSet& set) {
  for (uint32_t i = 0; i < set.size(); ++i)
    if (set[{i}].foreground) return UnitIndex{i};
  return std::nullopt;
}

Result<region::Writer> region_of(const std::string& id, const protocol::HandoverBegin& keeper) {
  return region::Writer::open({.object_name = region_object_name(id), .instance = id},
                              {.manager_pid = getpid(),
                               .keeper_pid = keeper.keeper_pid,
                               .manager_restarts = keeper.manager_restarts,
                               .version_text = FOSTER_VERSION});
}

/// What was found out before anything was made.
struct Found {
  std::string id;
  SettingsFile settings_file;
  Settings settings;
  CheckedSet checked;
  UniqueFd texts;
};

std::shared_ptr<const UnitSet> with_strays(const Found& found, const FormerTexts& former,
                                           const std::vector<std::string>& strays,
                                           const Options& options) {
  for (const std::string& name : strays)
    log(Level::warning, "no unit file describes this service any more; it is stopped",
        {{"unit", name}});
  std::vector<int> texts{found.texts.get()};
  for (auto memfd = former.memfds.rbegin(); memfd != former.memfds.rend(); ++memfd)
    texts.push_back(memfd->get());
  return with_strays(found.checked.set, strays, texts, options);
}

/// What is left to do once the units are known to be right.
Result<Holdings> assemble(KeeperClient& keeper, Handover& handover, const Options& options,
                          Found found, InstanceHome home) {
  auto control = control_socket(keeper, handover, home);
  if (!control) return std::unexpected(control.error());
  auto writer = region_of(found.id, handover.keeper);
  if (!writer) return std::unexpected(writer.error());
  forget_nameless(keeper, handover.children);
  const std::vector<std::string> strays = stray_names(*found.checked.set, handover.children);
  FormerTexts former = former_texts(handover);
  std::shared_ptr<const UnitSet> set = with_strays(found, former, strays, options);
  Enablement enablement(*set, found.settings, options.start);
  std::vector<UnitIndex> gone;
  gone.reserve(strays.size());
  for (const std::string& name : strays)
    gone.push_back(*set->find(name));
  std::ranges::for_each(gone, [&](UnitIndex unit) { enablement.gone(unit); });
  // Before lay_out: what it remembers are the former manager's slots.
  RememberedFacts facts;
  core::Recovered recovered = recover(*set, handover, *writer, strays, facts);
  for (core::RecoveredUnit& unit : recovered.units)
    unit.masked = enablement.masked(unit.unit);
  if (auto laid_out = writer->lay_out(names_of(*set), edges_of(*set)); !laid_out)
    return std::unexpected(laid_out.error());
  std::vector<UnitIndex> initial = initial_units(*set, enablement, recovered, facts);
  std::unordered_map<uint64_t, Errand> attempts;
  for (const protocol::Child& child : handover.children)
    attempts.emplace(child.attempt, errand_of(*set->find(child.unit), child.tag));
  return Holdings{.options = options,
                  .instance = found.id,
                  .instance_name = options.instance.empty() ? found.id : options.instance,
                  .invocation = invocation_of(writer->header()),
                  .started = {writer->header().daemon_started_boot_ns},
                  .home = std::move(home),
                  .keeper = handover.keeper,
                  .set = set,
                  .templates = std::move(found.checked.templates),
                  .command = command_of(*set),
                  .writer = std::move(*writer),
                  .recovered = std::move(recovered),
                  .initial = std::move(initial),
                  .remembered = std::move(facts),
                  .enablement = std::move(enablement),
                  .settings_file = std::move(found.settings_file),
                  .settings = std::move(found.settings),
                  .texts = {std::move(found.texts), std::move(former.numbers)},
                  .strays = std::move(gone),
                  .descriptors = std::move(handover.descriptors),
                  .attempts = std::move(attempts),
                  .control = std::move(*control)};
}

}  // namespace

std::variant<Holdings, EndNow> take_over(KeeperClient& keeper, const Options& options) {
  auto handover = keeper.receive_handover();
  if (!handover) return end_with(handover.error());
  const std::string id = instance_id(geteuid(), options.instance);
  // Mistakes in the units come first: they are found even where the instance runs already.
  Found found{.id = id, .settings_file = settings_file(options, id)};
  SettingsFile::Found settings = find_settings(*handover, found.settings_file);
  if (!settings.complaint.empty()) log(Level::error, settings.complaint);
  found.settings = std::move(settings.settings);
  auto loaded = units(keeper, *handover, options, found.settings.instances, found.texts);
  if (!loaded) return end_with(loaded.error());
  if (!loaded->checked.set) return EndNow{kCannotStart, mistakes_text(loaded->checked.diagnostics)};
  auto home = InstanceHome::open(id, options.runtime_dir);
  if (!home) return end_with(home.error());
  if (auto locked = take_lock(keeper, *handover, *home, id); !locked)
    return end_with(locked.error());
  found.checked = std::move(loaded->checked);
  auto holdings = assemble(keeper, *handover, options, std::move(found), *home);
  if (holdings) return std::move(*holdings);
  if (handover->keeper.manager_restarts == 0) home->remove();
  return end_with(holdings.error());
}

}  // namespace foster::manager
