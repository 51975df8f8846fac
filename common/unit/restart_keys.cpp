#include <array>

#include "common/unit/duration_text.hpp"
#include "common/unit/key_readers.hpp"
#include "common/unit/key_tables.hpp"

namespace foster {
namespace {

using S = const Setting&;

constexpr std::string_view kDuration = kDurationExpected;

constexpr std::array<std::string_view, 5> kPolicies{"always", "on-failure", "on-abnormal",
                                                    "on-watchdog", "never"};
constexpr std::array<std::string_view, 3> kLimitActions{"fail", "stop-all", "start-unit"};
constexpr std::array<std::string_view, 2> kScopes{"group", "main"};

constexpr std::array kKeys{
    KeySpec{
        Section::restart, "policy",
        "one of \"always\", \"on-failure\", \"on-abnormal\", \"on-watchdog\" and \"never\"",
        "\"on-failure\"",
        "Whether the service is started again when it ends by itself: always; after an end that is "
        "no success; after an end by a signal, a timeout or the watchdog; after one by the "
        "watchdog "
        "alone; or never.",
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
        [](S s) { read_count(s, 0, 1'000'000, s.spec.restart.limit); }},
    KeySpec{Section::restart, "limit-interval", kDuration, "\"10s\"",
            "The time that limit speaks of; longer than 0s.",
            "start-limit-interval startlimitinterval startlimitintervalsec window",
            [](S s) { read_duration(s, Duration(1), s.spec.restart.limit_interval); }},
    KeySpec{Section::restart, "limit-action", "one of \"fail\", \"stop-all\" and \"start-unit\"",
            "\"fail\"",
            "What else happens when the limit is reached: nothing; everything is stopped and the "
            "daemon "
            "ends; or the unit that limit-unit names is started.",
            "start-limit-action startlimitaction",
            [](S s) {
              if (const auto word = read_word(s, kLimitActions))
                s.spec.restart.limit_action = LimitAction{uint8_t(*word)};
            }},
    KeySpec{Section::restart, "limit-unit", "a unit's name", "none",
            "The unit that is started when the limit is reached, with limit-action = "
            "\"start-unit\".",
            "",
            [](S s) {
              if (auto unit = read_reference(s)) s.spec.restart.limit_unit = std::move(*unit);
            }},
    KeySpec{Section::restart, "prevent-exit-codes", "an array of whole numbers from 0 to 255", "[]",
            "Exit codes after which there is no restart, whatever the policy.",
            "restart-prevent-exit-status restartpreventexitstatus",
            [](S s) { read_exit_codes(s, s.spec.restart.prevent_exit_codes); }},
    KeySpec{Section::restart, "force-exit-codes", "an array of whole numbers from 0 to 255", "[]",
            "Exit codes after which there is a restart, whatever the policy.",
            "restart-force-exit-status restartforceexitstatus",
            [](S s) { read_exit_codes(s, s.spec.restart.force_exit_codes); }},
    KeySpec{
        Section::restart, "overlap", "true or false", "false",
        "Whether a restart that someone asks for starts the new process beside the old one, on "
        "the same sockets, and stops the old one when the new one is ready. If that does not "
        "come to be ready the old one stays. Not with `tcp`, `unix` or `http` in `[ready]`: the "
        "old process would answer there. A `command` finds the new one's number in $MAINPID. "
        "One that names another process by MAINPID is not ready. The unit is not stopped for that "
        "and started: hooks and conditions have no part in it, and nor have other units.",
        "graceful rolling zero-downtime", [](S s) { read_boolean(s, s.spec.restart.overlap); }},

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

std::span<const KeySpec> restart_keys() {
  return kKeys;
}

}  // namespace foster
