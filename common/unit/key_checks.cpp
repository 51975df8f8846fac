#include "common/unit/key_checks.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <tuple>

#include "common/unit/duration_text.hpp"

namespace foster {
namespace {

constexpr std::array<std::string_view, 9> kReadyKinds{
    "notify", "descriptor", "descriptor-variable", "tcp", "unix", "http", "command",
    "file",   "output"};
constexpr std::array<std::string_view, 4> kReadyRepeated{"tcp", "unix", "http", "command"};
constexpr std::array<std::string_view, 4> kHealthKinds{"command", "http", "tcp", "unix"};
constexpr std::array<std::string_view, 5> kOfHealthChecks{"timeout", "failures", "successes",
                                                          "start-period", "http-status"};
constexpr std::array<std::string_view, 6> kHooks{"pre-start", "post-start", "pre-stop",
                                                 "stop",      "post-stop",  "reload"};
constexpr std::array<std::string_view, 3> kTriggers{"every", "after-boot", "calendar"};

std::string_view type_text(ServiceType type) {
  switch (type) {
    case ServiceType::simple:
      return "a simple service";
    case ServiceType::oneshot:
      return "a oneshot";
    case ServiceType::notify:
      return "a notify service";
    case ServiceType::forking:
      return "a forking service";
    case ServiceType::group:
      return "a group";
  }
  return "";
}

std::string in_words(std::span<const std::string_view> names) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "`" : i + 1 == names.size() ? " or `" : ", `") + std::string(names[i]) + "`";
  return text;
}

class KeyChecks {
 public:
  KeyChecks(const UnitSpec& spec, const GivenKeys& given, std::span<const GivenSocket> sockets,
            Findings& findings)
      : spec_(spec), given_(given), sockets_(sockets), findings_(findings) {}

  void all() {
    delays();
    limit();
    exit_codes();
    hooks();
    health();
    timer();
    one_kind(Section::ready, kReadyKinds);
    one_kind(Section::health, kHealthKinds);
    needs(Section::ready, "http-status", std::array<std::string_view, 1>{"http"});
    if (given_.refused(Section::service, "type")) return;
    if (spec_.type == ServiceType::group) return group();
    check_sockets(spec_, given_, sockets_, findings_);
    only_for(ServiceType::oneshot, "remain-after-exit");
    only_for(ServiceType::forking, "pid-file");
    several_commands();
    oneshot_policy();
    readiness();
  }

 private:
  const GivenKey* find(Section section, std::string_view name) const {
    return given_.find(section, name);
  }

  /// The first of the keys that was given; not `notify = false`, which asks for nothing.
  const GivenKey* first_of(Section section, std::span<const std::string_view> names) const {
    for (const std::string_view name : names) {
      const GivenKey* given = find(section, name);
      if (given != nullptr && !asks_for_nothing(*given)) return given;
    }
    return nullptr;
  }

  static bool asks_for_nothing(const GivenKey& given) {
    return given.key->name == "notify" && given.entry->value.kind == ValueKind::boolean &&
           !given.entry->value.boolean;
  }

  void at_key(const GivenKey& given, std::string message) {
    findings_.report(given.entry->place, std::move(message));
  }

  /// Reports the key if it was given and none of those was that give it a meaning.
  void needs(Section section, std::string_view name, std::span<const std::string_view> others) {
    const GivenKey* given = find(section, name);
    if (given == nullptr || first_of(section, others) != nullptr) return;
    at_key(*given, "`" + std::string(name) + "` is of no use without " + in_words(others));
  }

  /// Reports each of the keys but the first that says how something is to be checked.
  void one_kind(Section section, std::span<const std::string_view> kinds) {
    std::vector<const GivenKey*> ways;
    for (const std::string_view kind : kinds) {
      const GivenKey* given = find(section, kind);
      if (given != nullptr && !asks_for_nothing(*given)) ways.push_back(given);
    }
    std::ranges::sort(ways, {}, [](const GivenKey* given) {
      const Place& place = given->entry->place;
      return std::tuple(place.file, place.line, place.column);
    });
    for (size_t i = 1; i < ways.size(); ++i)
      at_key(*ways[i],
             "`" + std::string(ways[i]->key->name) + "` and `" + std::string(ways[0]->key->name) +
                 "` exclude each other: " + std::string(section_text(section)) +
                 (section == Section::ready ? " says one way of being ready" : " has one check"));
  }

  void delays() {
    if (spec_.restart.max_delay >= spec_.restart.delay) return;
    if (given_.refused(Section::restart, "delay") || given_.refused(Section::restart, "max-delay"))
      return;
    const GivenKey* delay = find(Section::restart, "delay");
    const GivenKey* max_delay = find(Section::restart, "max-delay");
    const std::string shortest = format_duration(spec_.restart.delay);
    const std::string longest = format_duration(spec_.restart.max_delay);
    if (max_delay != nullptr) {
      findings_.report(max_delay->value_place(),
                       "`max-delay` of " + longest + " is shorter than `delay`, which is " +
                           shortest + (delay == nullptr ? " by default" : ""));
    } else if (delay != nullptr) {
      findings_.report(delay->value_place(), "`delay` of " + shortest +
                                                 " is longer than `max-delay`, which is " +
                                                 longest + " by default; set it as well");
    }
  }

  void limit() {
    if (given_.refused(Section::restart, "limit-action")) return;
    const GivenKey* action = find(Section::restart, "limit-action");
    const GivenKey* unit = find(Section::restart, "limit-unit");
    const bool starts = spec_.restart.limit_action == LimitAction::start_unit;
    if (starts && unit == nullptr)
      findings_.report(action->value_place(),
                       "\"start-unit\" needs a `limit-unit`: the unit to start");
    if (!starts && unit != nullptr)
      at_key(*unit, "`limit-unit` is of no use without limit-action = \"start-unit\"");
  }

  void exit_codes() {
    const GivenKey* force = find(Section::restart, "force-exit-codes");
    for (const int code : spec_.restart.force_exit_codes) {
      if (std::ranges::binary_search(spec_.restart.prevent_exit_codes, code))
        findings_.report(force->value_place(), "the exit code " + std::to_string(code) +
                                                   " cannot both prevent a restart and force one");
    }
  }

  void hooks() {
    for (const std::string_view hook : kHooks) {
      const std::string timeout = std::string(hook) + "-timeout";
      needs(Section::hooks, timeout, std::span(&hook, 1));
    }
    const GivenKey* signal = find(Section::hooks, "reload-signal");
    if (signal != nullptr && find(Section::hooks, "reload") != nullptr)
      at_key(*signal,
             "`reload-signal` and `reload` exclude each other: a reload is one or the "
             "other");
  }

  void health() {
    for (const std::string_view name : kOfHealthChecks) {
      if (name == "http-status") {
        needs(Section::health, name, std::array<std::string_view, 1>{"http"});
      } else {
        needs(Section::health, name, kHealthKinds);
      }
    }
    constexpr std::array<std::string_view, 5> kLookers{"command", "http", "tcp", "unix",
                                                       "memory-max"};
    needs(Section::health, "interval", kLookers);
    needs(Section::health, "action", kLookers);
    const GivenKey* check = first_of(Section::health, kHealthKinds);
    if (check != nullptr && spec_.type == ServiceType::oneshot)
      at_key(*check,
             "a oneshot is not checked: it is up when it has ended; `max-runtime` and "
             "`memory-max` hold while it works");
  }

  void timer() {
    for (const std::string_view name : {"jitter", "persistent"}) {
      if (name == "jitter")
        needs(Section::timer, name, kTriggers);
      else
        needs(Section::timer, name, std::array<std::string_view, 1>{"calendar"});
    }
  }

  /// A group has no process, so all that speaks of one is a mistake.
  void group() {
    for (const GivenKey& given : given_.all()) {
      const Section section = given.key->section;
      const std::string_view name = given.key->name;
      const bool fits = section == Section::top || section == Section::depends ||
                        (section == Section::service && name == "type") ||
                        (section == Section::hooks && name == "on-failure") ||
                        section == Section::conditions;
      if (fits) continue;
      at_key(given,
             "a group runs nothing: it has no `" + std::string(name) + "`" +
                 (section == Section::service ? "" : " in " + std::string(section_text(section))));
    }
    for (const GivenSocket& socket : sockets_)
      findings_.report(socket.place, "a group runs nothing: it has no [[socket]]");
  }

  void only_for(ServiceType type, std::string_view name) {
    const GivenKey* given = find(Section::service, name);
    if (given == nullptr || spec_.type == type) return;
    at_key(*given, "`" + std::string(name) + "` is for " + std::string(type_text(type)) +
                       ", and this is " + std::string(type_text(spec_.type)));
  }

  void several_commands() {
    if (spec_.more_commands.empty() || spec_.type == ServiceType::oneshot) return;
    findings_.report(find(Section::service, "command")->value_place(),
                     std::string(type_text(spec_.type)) +
                         " has one command; several are for type = \"oneshot\"");
  }

  void oneshot_policy() {
    if (spec_.type != ServiceType::oneshot || spec_.restart.policy != RestartPolicy::always) return;
    findings_.report(find(Section::restart, "policy")->value_place(),
                     "\"always\" would run a oneshot again and again without end; use "
                     "\"on-failure\" or \"never\", or type = \"simple\"");
  }

  void readiness() {
    const GivenKey* kind = first_of(Section::ready, kReadyKinds);
    if (kind != nullptr && spec_.type == ServiceType::oneshot)
      at_key(*kind, "a oneshot is ready when its commands have exited with success: it has no `" +
                        std::string(kind->key->name) + "`");
    if (kind != nullptr && spec_.type == ServiceType::notify && kind->key->name != "notify")
      at_key(*kind, "a notify service is ready when it says so: `" + std::string(kind->key->name) +
                        "` is for type = \"simple\" or \"forking\"");
    const GivenKey* off = find(Section::ready, "notify");
    if (off != nullptr && asks_for_nothing(*off) && spec_.type == ServiceType::notify)
      at_key(*off,
             "a notify service is ready when it says so: leave `notify` out, or use type = "
             "\"simple\"");
    if (kind == nullptr && spec_.type == ServiceType::simple)
      for (const std::string_view name : {"timeout", "on-timeout"})
        nothing_to_wait_for(name);
    if (kind == nullptr && spec_.type == ServiceType::oneshot) nothing_to_wait_for("on-timeout");
    needs(Section::ready, "interval", kReadyRepeated);
  }

  void nothing_to_wait_for(std::string_view name) {
    const GivenKey* given = find(Section::ready, name);
    if (given == nullptr) return;
    at_key(*given, "`" + std::string(name) +
                       "` has nothing to wait for: " + std::string(type_text(spec_.type)) +
                       (spec_.type == ServiceType::simple
                            ? " without one of " + in_words(kReadyKinds) + " is ready at once"
                            : " that is late cannot count as done"));
  }

  const UnitSpec& spec_;
  const GivenKeys& given_;
  std::span<const GivenSocket> sockets_;
  Findings& findings_;
};

}  // namespace

void check_keys_together(const UnitSpec& spec, const GivenKeys& given,
                         std::span<const GivenSocket> sockets, Findings& findings) {
  KeyChecks(spec, given, sockets, findings).all();
}

}  // namespace foster
