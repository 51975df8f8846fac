#include "ctl/json.hpp"

#include <nlohmann/json.hpp>

#include "common/signal_name.hpp"

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
  return boot_ns == 0 ? Json() : moment(clock.real_ns - (clock.boot.ns - boot_ns));
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
          {"clean", body.exit_clean != 0},
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

Json unit(const region::SlotView& view, const Clock& clock) {
  const foster_slot_body& body = view.body;
  const bool backoff = body.state == FOSTER_STATE_BACKOFF;
  const bool stopping = body.state == FOSTER_STATE_STOPPING;
  return {{"name", view.name},
          {"state", state_word(body.state)},
          {"goal", goal_word(body.goal)},
          {"type", type_word(body.type)},
          {"essential", body.essential != 0},
          {"cause", cause_word(body.cause)},
          {"detail", text(body.detail)},
          {"why", why_text(body, clock.boot)},
          {"status_text", text(body.status_text)},
          {"pid", pid(body.pid)},
          {"attempt", body.attempt},
          {"restarts", body.restarts},
          {"restarts_in_a_row", body.failures},
          {"exits", body.exits},
          {"since_us", body.since_boot_ns == 0 ? Json() : moment(body.since_real_ns)},
          {"started_us", boot_moment(body.started_boot_ns, clock)},
          {"running_us", boot_moment(body.running_boot_ns, clock)},
          {"next_start_us", backoff ? boot_moment(body.deadline_boot_ns, clock) : Json()},
          {"next_kill_us", stopping ? boot_moment(body.deadline_boot_ns, clock) : Json()},
          {"last_exit", last_exit(body)},
          {"job", job(body)},
          {"writer_died", view.writer_died},
          {"writer_stuck", view.writer_stuck}};
}

}  // namespace

std::string status_json(const Snapshot& snapshot) {
  const foster_region_header& header = snapshot.header;
  const Clock& clock = snapshot.clock;
  const bool ending = header.phase >= FOSTER_PHASE_STOPPING;
  Json units = Json::array();
  for (const region::SlotView& view : snapshot.units)
    units.push_back(unit(view, clock));
  const Json manager = {{"pid", pid(header.manager_pid)},
                        {"liveness", liveness_word(snapshot.manager)},
                        {"restarts", header.manager_restarts},
                        {"started_us", boot_moment(header.manager_started_boot_ns, clock)}};
  const Json keeper = {{"pid", pid(header.keeper_pid)},
                       {"liveness", liveness_word(snapshot.keeper)}};
  const Json document = {{"instance", text(header.instance)},
                         {"version", text(header.version_text)},
                         {"phase", phase_word(header.phase)},
                         {"exit_code", ending ? Json(header.exit_code) : Json()},
                         {"started_us", moment(header.daemon_started_real_ns)},
                         {"last_change_us", boot_moment(snapshot.last_change.ns, clock)},
                         {"manager", manager},
                         {"keeper", keeper},
                         {"units", std::move(units)}};
  return dumped(document, 2) + "\n";
}

std::string list_json(const Snapshot& snapshot) {
  Json units = Json::array();
  for (const region::SlotView& view : snapshot.units)
    units.push_back({{"name", view.name}, {"state", state_word(view.body.state)}});
  return dumped(units, 2) + "\n";
}

std::string event_json(const foster_event& event, std::string_view kind) {
  const bool state = event.kind == FOSTER_EVENT_STATE;
  const bool has_exit = event.exit_kind != FOSTER_EXIT_NONE;
  const bool has_signal = event.kind == FOSTER_EVENT_SIGNAL || by_signal(event.exit_kind);
  const Json document = {{"event", kind},
                         {"sequence", event.sequence == 0 ? Json() : Json(event.sequence)},
                         {"time_us", moment(event.real_ns)},
                         {"unit", event.name[0] == '\0' ? Json() : Json(text(event.name))},
                         {"state", state ? Json(state_word(event.state)) : Json()},
                         {"cause", state ? Json(cause_word(event.cause)) : Json()},
                         {"exit_kind", has_exit ? Json(exit_kind_word(event.exit_kind)) : Json()},
                         {"value", event.value},
                         {"signal", has_signal ? Json(signal_name(event.value)) : Json()},
                         {"pid", pid(event.pid)},
                         {"attempt", event.attempt == 0 ? Json() : Json(event.attempt)},
                         {"text", text(event.text)}};
  return dumped(document, -1);
}

std::string version_json(std::string_view client, std::string_view daemon) {
  const Json document = {{"client", client}, {"daemon", daemon.empty() ? Json() : Json(daemon)}};
  return dumped(document, -1) + "\n";
}

}  // namespace foster::ctl
