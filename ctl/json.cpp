#include "ctl/json.hpp"

#include <cstring>

#include <nlohmann/json.hpp>

#include "common/signal_name.hpp"
#include "ctl/reason.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {
namespace {

using Json = nlohmann::ordered_json;

// What is not UTF-8 in a status text must not make the whole document unreadable.
std::string dumped(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json moment(int64_t real_ns) {
  return real_ns == 0 ? Json() : Json(real_ns / 1000);
}

/// A moment that is only known by the clock since boot.
Json boot_moment(int64_t boot_ns, const Clock& clock) {
  return boot_ns == 0 ? Json() : moment(real_time_of(boot_ns, clock));
}

Json pid(int32_t number) {
  return number == 0 ? Json() : Json(number);
}

template <size_t Size>
std::string text(const char (&field)[Size]) {
  return std::string(field_text(field, Size));
}

bool by_signal(uint8_t exit_kind) {
  return exit_kind == FOSTER_EXIT_SIGNAL || exit_kind == FOSTER_EXIT_CORE;
}

Json last_exit(const foster_slot_body& body) {
  if (body.exit_kind == FOSTER_EXIT_NONE) return {};
  return {{"kind", exit_kind_word(body.exit_kind)},
          {"value", body.exit_value},
          {"signal", by_signal(body.exit_kind) ? Json(signal_name(body.exit_value)) : Json()},
          {"clean", has_flag(body, FOSTER_FLAG_EXIT_CLEAN)},
          {"attempt", body.exit_attempt},
          {"at_us", moment(body.exit_real_ns)},
          {"user_us", body.exit_user_us},
          {"system_us", body.exit_system_us},
          {"max_rss_kib", body.exit_max_rss_kib}};
}

Json job(const foster_slot_body& body) {
  if (body.job == 0) return {};
  return {{"id", body.job >> 8}, {"verb", verb_word(body.job)}};
}

Json hook(const foster_slot_body& body, const Clock& clock) {
  if (body.hook_attempt == 0) return {};
  return {{"role", role_word(body.hook_role)},
          {"command", body.hook_index + 1},
          {"pid", pid(body.hook_pid)},
          {"attempt", body.hook_attempt},
          {"next_kill_us", boot_moment(body.hook_deadline_boot_ns, clock)}};
}

/// Of the first sockets; null for one that has none.
Json ports(const foster_slot_body& body) {
  Json ports = Json::array();
  for (size_t i = 0; i < std::min<size_t>(body.socket_count, FOSTER_PORTS); ++i)
    ports.push_back(body.socket_ports[i] == 0 ? Json() : Json(body.socket_ports[i]));
  return ports;
}

Json successor(const foster_slot_body& body, const Clock& clock) {
  if (body.successor_attempt == 0) return {};
  return {{"pid", pid(body.successor_pid)},
          {"attempt", body.successor_attempt},
          {"give_up_us", boot_moment(body.successor_deadline_boot_ns, clock)}};
}

Json former(const foster_slot_body& body, const Clock& clock) {
  if (body.former_attempt == 0) return {};
  return {{"pid", pid(body.former_pid)},
          {"attempt", body.former_attempt},
          {"next_kill_us", boot_moment(body.former_deadline_boot_ns, clock)}};
}

Json span(int64_t nanoseconds) {
  return nanoseconds == 0 ? Json() : Json(nanoseconds / 1000);
}

struct UnitKey {
  const char* name;
  Json (*value)(const UnitView& unit, const Clock& clock);
};

Json next_start(const UnitView& unit, const Clock& clock) {
  if (unit.body.state != FOSTER_STATE_BACKOFF) return {};
  return boot_moment(unit.body.deadline_boot_ns, clock);
}

Json next_kill(const UnitView& unit, const Clock& clock) {
  if (unit.body.state != FOSTER_STATE_STOPPING) return {};
  return boot_moment(unit.body.deadline_boot_ns, clock);
}

Json since(const UnitView& unit, const Clock&) {
  return unit.body.since_boot_ns == 0 ? Json() : moment(unit.body.since_real_ns);
}

using View = UnitView;

constexpr UnitKey kUnitKeys[] = {
    {"name", [](const View& unit, const Clock&) { return Json(unit.name); }},
    {"state", [](const View& unit, const Clock&) { return Json(state_word(unit.body.state)); }},
    {"goal", [](const View& unit, const Clock&) { return Json(goal_word(unit.body.goal)); }},
    {"type", [](const View& unit, const Clock&) { return Json(type_word(unit.body.type)); }},
    {"essential", [](const View& unit,
                     const Clock&) { return Json(has_flag(unit.body, FOSTER_FLAG_ESSENTIAL)); }},
    {"cause", [](const View& unit, const Clock&) { return Json(cause_word(unit.body.cause)); }},
    {"detail", [](const View& unit, const Clock&) { return Json(text(unit.body.detail)); }},
    {"why", [](const View& unit, const Clock& now) { return Json(why_text(unit, now)); }},
    {"status_text",
     [](const View& unit, const Clock&) { return Json(text(unit.body.status_text)); }},
    {"pid", [](const View& unit, const Clock&) { return pid(unit.body.pid); }},
    {"attempt", [](const View& unit, const Clock&) { return Json(unit.body.attempt); }},
    {"restarts", [](const View& unit, const Clock&) { return Json(unit.body.restarts); }},
    {"restarts_in_a_row", [](const View& unit, const Clock&) { return Json(unit.body.failures); }},
    {"exits", [](const View& unit, const Clock&) { return Json(unit.body.exits); }},
    {"since_us", since},
    {"started_us", [](const View& unit,
                      const Clock& now) { return boot_moment(unit.body.started_boot_ns, now); }},
    {"running_us", [](const View& unit,
                      const Clock& now) { return boot_moment(unit.body.running_boot_ns, now); }},
    {"next_start_us", next_start},
    {"next_kill_us", next_kill},
    {"last_exit", [](const View& unit, const Clock&) { return last_exit(unit.body); }},
    {"step", [](const View& unit, const Clock&) { return Json(step_word(unit.body.step)); }},
    {"blocker", [](const View& unit,
                   const Clock&) { return unit.blocker.empty() ? Json() : Json(unit.blocker); }},
    {"ready",
     [](const View& unit, const Clock&) { return Json(has_flag(unit.body, FOSTER_FLAG_READY)); }},
    {"health", [](const View& unit, const Clock&) { return Json(health_word(unit.body.health)); }},
    {"check_failures",
     [](const View& unit, const Clock&) { return Json(unit.body.check_failures); }},
    {"enablement",
     [](const View& unit, const Clock&) { return Json(enablement_word(unit.body.enablement)); }},
    {"give_up_us",
     [](const View& unit, const Clock& now) {
       return boot_moment(unit.body.start_deadline_boot_ns, now);
     }},
    {"watchdog_us", [](const View& unit, const Clock&) { return span(unit.body.watchdog_ns); }},
    {"timer_next_us",
     [](const View& unit, const Clock&) { return moment(unit.body.timer_next_real_ns); }},
    {"service_errno", [](const View& unit, const Clock&) { return Json(unit.body.service_errno); }},
    {"hook", [](const View& unit, const Clock& now) { return hook(unit.body, now); }},
    {"sockets", [](const View& unit, const Clock&) { return Json(unit.body.socket_count); }},
    {"ports", [](const View& unit, const Clock&) { return ports(unit.body); }},
    {"held", [](const View& unit, const Clock&) { return Json(unit.body.held_count); }},
    {"successor", [](const View& unit, const Clock& now) { return successor(unit.body, now); }},
    {"former", [](const View& unit, const Clock& now) { return former(unit.body, now); }},
    {"job", [](const View& unit, const Clock&) { return job(unit.body); }},
    {"writer_died", [](const View& unit, const Clock&) { return Json(unit.writer_died); }},
    {"writer_stuck", [](const View& unit, const Clock&) { return Json(unit.writer_stuck); }},
};

/// The units, a line each. One object is filled again and again: making it, for thousands of units,
/// would take most of the time.
std::string unit_lines(const Snapshot& snapshot) {
  Json object = Json::object();
  for (const UnitKey& key : kUnitKeys)
    object[key.name] = nullptr;
  constexpr size_t kUsualLine = 640;
  std::string lines;
  lines.reserve(snapshot.units.size() * kUsualLine);
  for (const UnitView& view : snapshot.units) {
    const UnitKey* key = kUnitKeys;
    for (auto& item : object.get_ref<Json::object_t&>())
      item.second = (key++)->value(view, snapshot.daemon.clock);
    lines += (lines.empty() ? "\n    " : ",\n    ") + dumped(object, -1);
  }
  return lines.empty() ? lines : lines + "\n  ";
}

Json link_json(const UnitView& unit, const Link& link) {
  return {{"name", unit.name},
          {"depth", link.depth},
          {"dependency", link.edge ? Json(edge_word(*link.edge)) : Json()},
          {"state", state_word(unit.body.state)},
          {"step", step_word(unit.body.step)},
          {"cause", cause_word(unit.body.cause)},
          {"since_us", unit.body.since_boot_ns == 0 ? Json() : moment(unit.body.since_real_ns)},
          {"repeated", link.repeated},
          {"sentences", link.sentences},
          {"output", link.output}};
}

}  // namespace

std::string status_json(const Snapshot& snapshot) {
  const DaemonView& daemon = snapshot.daemon;
  const foster_region_header& header = daemon.header;
  const Clock& clock = daemon.clock;
  const bool ending = header.phase >= FOSTER_PHASE_STOPPING;
  const Json manager = {{"pid", pid(header.manager_pid)},
                        {"liveness", liveness_word(daemon.manager)},
                        {"restarts", header.manager_restarts},
                        {"started_us", boot_moment(header.manager_started_boot_ns, clock)}};
  const Json keeper = {{"pid", pid(header.keeper_pid)}, {"liveness", liveness_word(daemon.keeper)}};
  const Json document = {{"instance", text(header.instance)},
                         {"version", text(header.version_text)},
                         {"phase", phase_word(header.phase)},
                         {"exit_code", ending ? Json(header.exit_code) : Json()},
                         {"started_us", moment(header.daemon_started_real_ns)},
                         {"last_change_us", boot_moment(snapshot.counts.last_change.ns, clock)},
                         {"manager", manager},
                         {"keeper", keeper}};
  std::string whole = dumped(document, 2);
  whole.resize(whole.size() - std::strlen("\n}"));
  return whole + ",\n  \"units\": [" + unit_lines(snapshot) + "]\n}\n";
}

std::string list_json(const Snapshot& snapshot) {
  Json units = Json::array();
  for (const UnitView& view : snapshot.units)
    units.push_back({{"name", view.name}, {"state", state_word(view.body.state)}});
  return dumped(units, 2) + "\n";
}

std::string event_json(const foster_event& event, std::string_view kind) {
  const bool state = event.kind == FOSTER_EVENT_STATE;
  const bool has_exit = event.exit_kind != FOSTER_EXIT_NONE;
  const bool has_value = has_exit || event.kind == FOSTER_EVENT_SIGNAL ||
                         event.kind == FOSTER_EVENT_MANAGER || event.kind == FOSTER_EVENT_SHUTDOWN;
  const bool has_signal = event.kind == FOSTER_EVENT_SIGNAL || by_signal(event.exit_kind);
  const Json document = {{"event", kind},
                         {"sequence", event.sequence == 0 ? Json() : Json(event.sequence)},
                         {"time_us", moment(event.real_ns)},
                         {"unit", event.name[0] == '\0' ? Json() : Json(text(event.name))},
                         {"state", state ? Json(state_word(event.state)) : Json()},
                         {"cause", state ? Json(cause_word(event.cause)) : Json()},
                         {"exit_kind", has_exit ? Json(exit_kind_word(event.exit_kind)) : Json()},
                         {"value", has_value ? Json(event.value) : Json()},
                         {"signal", has_signal ? Json(signal_name(event.value)) : Json()},
                         {"pid", pid(event.pid)},
                         {"attempt", event.attempt == 0 ? Json() : Json(event.attempt)},
                         {"text", text(event.text)}};
  return dumped(document, -1);
}

std::string explanation_json(const UnitGraph& graph, const std::vector<Explanation>& explanations) {
  Json all = Json::array();
  for (const Explanation& explanation : explanations) {
    Json chain = Json::array();
    for (const Link& link : explanation.chain)
      chain.push_back(link_json(graph[link.unit], link));
    Json remedies = Json::array();
    for (const Remedy& remedy : explanation.remedies)
      remedies.push_back({{"command", remedy.command.empty() ? Json() : Json(remedy.command)},
                          {"text", remedy.text}});
    all.push_back({{"name", graph[explanation.chain.front().unit].name},
                   {"chain", std::move(chain)},
                   {"remedies", std::move(remedies)}});
  }
  return dumped(all, 2) + "\n";
}

std::string timers_json(const Snapshot& snapshot) {
  Json timers = Json::array();
  for (const UnitView& unit : snapshot.units)
    timers.push_back(
        {{"name", unit.name},
         {"next_us", moment(unit.body.timer_next_real_ns)},
         {"state", state_word(unit.body.state)},
         {"started_us", boot_moment(unit.body.started_boot_ns, snapshot.daemon.clock)}});
  return dumped(timers, 2) + "\n";
}

std::string held_json(const std::vector<HeldEntry>& entries) {
  Json all = Json::array();
  for (const HeldEntry& entry : entries)
    all.push_back({{"unit", entry.unit},
                   {"name", entry.name},
                   {"origin", entry.origin},
                   {"what", entry.what},
                   {"since_us", moment(entry.since_real_ns)},
                   {"from", entry.from.empty() ? Json() : Json(entry.from)}});
  return dumped(all, 2) + "\n";
}

std::string version_json(std::string_view client, std::string_view daemon) {
  const Json document = {{"client", client}, {"daemon", daemon.empty() ? Json() : Json(daemon)}};
  return dumped(document, -1) + "\n";
}

}  // namespace foster::ctl
