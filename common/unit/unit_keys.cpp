#include "common/unit/unit_keys.hpp"

#include <array>

#include "common/unit/duration_text.hpp"
#include "common/unit/key_readers.hpp"

namespace foster {
namespace {

using S = const Setting&;

constexpr std::array kSections{
    SectionSpec{Section::top, "", "Keys before the first section."},
    SectionSpec{Section::service, "service", "What is run, as whom, and with which environment."},
    SectionSpec{Section::restart, "restart",
                "What happens when the service ends without having been asked to."},
    SectionSpec{Section::stop, "stop", "How the service is stopped."},
};

constexpr std::array<std::string_view, 5> kTypes{"simple", "oneshot", "notify", "forking", "group"};
constexpr std::array<std::string_view, 5> kPolicies{"always", "on-failure", "on-abnormal",
                                                    "on-watchdog", "never"};
constexpr std::array<std::string_view, 2> kScopes{"group", "main"};

constexpr std::string_view kDuration = kDurationExpected;

constexpr std::array kKeys{
    KeySpec{Section::top, "description", "a string", "\"\"",
            "What the service is, in one line, for people.", "summary title",
            [](S s) { read_one_line(s, s.spec.description); }},
    KeySpec{
        Section::top, "essential", "true or false", "false",
        "When the service is gone for good, everything is stopped, and its exit code (128 and the "
        "signal's number after a death by signal) becomes that of fosterd.",
        "critical", [](S s) { read_boolean(s, s.spec.essential); }},

    KeySpec{
        Section::service, "type", "one of \"simple\" and \"oneshot\"", "\"simple\"",
        "A simple service is running as soon as its program has been executed; a oneshot is done "
        "once its program has exited with success.",
        "kind",
        [](S s) {
          if (const auto word = read_word(s, kTypes)) s.spec.type = ServiceType{uint8_t(*word)};
        }},
    KeySpec{
        Section::service, "command", "an array of strings", "none: it must be given",
        "The program and its arguments. The program is an absolute path, or a name that is looked "
        "up in the PATH of the service's environment. No shell is involved: ${NAME} becomes the "
        "value of a variable of the service's environment, $$ a dollar sign, and nothing else is "
        "special.",
        "cmd exec execstart exec-start program run start argv",
        [](S s) { read_command(s, s.spec.command); }},
    KeySpec{Section::service, "user", "a string: a user's name or number", "the daemon's own user",
            "The user that the service runs as.", "uid run-as",
            [](S s) { read_account(s, s.spec.user); }},
    KeySpec{Section::service, "group", "a string: a group's name or number",
            "the first group of the user", "The group that the service runs as.", "gid",
            [](S s) { read_account(s, s.spec.group); }},
    KeySpec{Section::service, "working-directory", "an absolute path", "\"/\"",
            "The directory that the service starts in.", "cwd chdir directory workdir dir",
            [](S s) { read_directory(s, s.spec.working_directory); }},
    KeySpec{Section::service, "umask", "an octal number up to 777, such as \"0022\" or 0o022",
            "\"0022\"", "The permission bits that files made by the service do not get.", "",
            [](S s) { read_umask(s, s.spec.umask); }},
    KeySpec{Section::service, "environment", "a table of strings such as { LANG = \"C.UTF-8\" }",
            "{}", "Variables of the service's environment.", "env environ",
            [](S s) { read_environment(s, s.spec.environment); }},
    KeySpec{
        Section::service, "environment-files", "an array of absolute paths", "[]",
        "Files of NAME=value lines with more variables, read at each start; a later one wins, and "
        "the table environment wins over all. A - in front of a path says that the file may be "
        "missing.",
        "env-file env-files environment-file",
        [](S s) { read_environment_files(s, s.spec.environment_files); }},
    KeySpec{Section::service, "pass-environment", "an array of strings: patterns of names", "[]",
            "Which variables of the daemon's own environment the service gets; * stands for any "
            "characters, ? for one. Without it the service gets none of them.",
            "inherit-environment keep-environment",
            [](S s) { read_patterns(s, s.spec.pass_environment); }},
    KeySpec{Section::service, "success-exit-codes", "an array of whole numbers from 0 to 255",
            "[0]", "Exit codes that are no failure. 0 always is among them.",
            "success-exit-status exitcodes success-codes",
            [](S s) { read_exit_codes(s, s.spec.success_exit_codes); }},

    KeySpec{
        Section::restart, "policy", "one of \"always\", \"on-failure\" and \"never\"",
        "\"on-failure\"",
        "Whether the service is started again when it ends by itself: always, only after an end "
        "that is no success, or never.",
        "restart autorestart",
        [](S s) {
          if (const auto word = read_word(s, kPolicies))
            s.spec.restart.policy = RestartPolicy{uint8_t(*word)};
        }},
    KeySpec{Section::restart, "delay", kDuration, "\"200ms\"", "The wait before the first restart.",
            "restart-sec restartsec backoff restart-delay sleep",
            [](S s) { read_duration(s, Duration(0), s.spec.restart.delay); }},
    KeySpec{Section::restart, "factor", "a number from 1 to 100", "2.0",
            "By how much the wait grows with each restart in a row.", "backoff-factor multiplier",
            [](S s) { read_number(s, 1, 100, s.spec.restart.factor); }},
    KeySpec{Section::restart, "max-delay", kDuration, "\"30s\"",
            "The longest that the wait grows to.", "backoff-limit delay-max",
            [](S s) { read_duration(s, Duration(0), s.spec.restart.max_delay); }},
    KeySpec{
        Section::restart, "jitter", "a number from 0 to 1", "0.0",
        "The share of the wait by which it varies at random, so that services that died together "
        "do not return together.",
        "random randomize", [](S s) { read_number(s, 0, 1, s.spec.restart.jitter); }},
    KeySpec{Section::restart, "reset-after", kDuration, "\"1min\"",
            "After a run of this length the wait begins at delay again.", "startsecs",
            [](S s) { read_duration(s, Duration(0), s.spec.restart.reset_after); }},
    KeySpec{
        Section::restart, "limit", "a whole number from 0 to 1000000", "10",
        "With more restarts than this within limit-interval the service has failed and stays down; "
        "0 is no limit.",
        "start-limit-burst startlimitburst burst max-restarts retries startretries",
        [](S s) { read_count(s, 1'000'000, s.spec.restart.limit); }},
    KeySpec{Section::restart, "limit-interval", kDuration, "\"10s\"",
            "The time that limit speaks of; longer than 0s.",
            "start-limit-interval startlimitinterval startlimitintervalsec window",
            [](S s) { read_duration(s, Duration(1), s.spec.restart.limit_interval); }},

    KeySpec{Section::stop, "signal", "a signal's name such as \"SIGTERM\"", "\"SIGTERM\"",
            "What asks the service to end.", "kill-signal killsignal stopsignal stop-signal",
            [](S s) { read_signal(s, s.spec.stop.signal); }},
    KeySpec{Section::stop, "timeout", kDuration, "\"10s\"",
            "How long it may take before SIGKILL ends its whole process group; with 0s at once.",
            "timeout-stop-sec timeoutstopsec stopwaitsecs stop-timeout grace kill-timeout",
            [](S s) { read_duration(s, Duration(0), s.spec.stop.timeout); }},
    KeySpec{
        Section::stop, "scope", "one of \"group\" and \"main\"", "\"group\"",
        "Whether the signal goes to every process of the service's process group or to its main "
        "process alone.",
        "kill-mode killmode stopasgroup",
        [](S s) {
          if (const auto word = read_word(s, kScopes))
            s.spec.stop.scope = SignalScope{uint8_t(*word)};
        }},
};

}  // namespace

std::span<const SectionSpec> unit_sections() {
  return kSections;
}
std::span<const KeySpec> unit_keys() {
  return kKeys;
}

const SectionSpec* find_section(std::string_view name) {
  for (const SectionSpec& section : kSections) {
    if (section.section != Section::top && section.name == name) return &section;
  }
  return nullptr;
}

const KeySpec* find_key(Section section, std::string_view name) {
  for (const KeySpec& key : kKeys) {
    if (key.section == section && key.name == name) return &key;
  }
  return nullptr;
}

std::string_view section_text(Section section) {
  switch (section) {
    case Section::top:
      return "the top of the file";
    case Section::service:
      return "[service]";
    case Section::depends:
      return "[depends]";
    case Section::ready:
      return "[ready]";
    case Section::health:
      return "[health]";
    case Section::hooks:
      return "[hooks]";
    case Section::restart:
      return "[restart]";
    case Section::stop:
      return "[stop]";
    case Section::timer:
      return "[timer]";
    case Section::conditions:
      return "[conditions]";
  }
  return "";
}

}  // namespace foster
