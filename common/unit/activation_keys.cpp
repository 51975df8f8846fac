#include <array>

#include "common/unit/duration_text.hpp"
#include "common/unit/key_readers.hpp"
#include "common/unit/key_tables.hpp"

namespace foster {
namespace {

using S = const Setting&;

constexpr std::string_view kDuration = kDurationExpected;

constexpr std::string_view kPaths = "an absolute path, or an array of them";

TimerSpec& timer(S setting) {
  return setting.spec.timer.make();
}

template <ConditionKind kind>
void set_condition(S setting) {
  read_conditions(setting, kind);
}

constexpr std::array kKeys{
    KeySpec{Section::timer, "every", kDuration, "none", "From one start to the next.",
            "interval on-unit-active-sec onunitactivesec on-unit-inactive-sec onunitinactivesec "
            "period",
            [](S s) { read_duration(s, Duration(1), timer(s).every); }},
    KeySpec{Section::timer, "after-boot", kDuration, "none",
            "Once, so long after the daemon's start.",
            "on-boot-sec onbootsec on-startup-sec onstartupsec delay",
            [](S s) { read_duration(s, Duration(1), timer(s).after_boot); }},
    KeySpec{Section::timer, "calendar",
            "a calendar event such as \"Mon..Fri 09:00\", or an array of them", "none",
            "At these times, in the syntax of systemd.time(7). fosterctl check --calendar shows "
            "when an event comes next.",
            "on-calendar oncalendar cron schedule at",
            [](S s) { read_calendars(s, timer(s).calendar); }},
    KeySpec{Section::timer, "jitter", kDuration, "\"0s\"",
            "Each start is put off by a time up to this, at random.",
            "randomized-delay-sec randomizeddelaysec random-delay",
            [](S s) { read_duration(s, Duration(0), timer(s).jitter); }},
    KeySpec{Section::timer, "persistent", "true or false", "false",
            "Whether a time of calendar at which the daemon did not run is made up for when it "
            "starts.",
            "catch-up anacron", [](S s) { read_boolean(s, timer(s).persistent); }},

    KeySpec{Section::conditions, "path-exists", kPaths, "[]", "The path is there.",
            "condition-path-exists conditionpathexists exists path",
            set_condition<ConditionKind::path_exists>},
    KeySpec{Section::conditions, "path-executable", kPaths, "[]",
            "The path is a file that may be executed.",
            "condition-file-is-executable conditionfileisexecutable executable",
            set_condition<ConditionKind::path_executable>},
    KeySpec{Section::conditions, "file-not-empty", kPaths, "[]",
            "The path is a file with something in it.",
            "condition-file-not-empty conditionfilenotempty",
            set_condition<ConditionKind::file_not_empty>},
    KeySpec{Section::conditions, "environment", "a string NAME or NAME=value, or an array of them",
            "[]", "The daemon's own environment has the variable, with that value if there is one.",
            "condition-environment conditionenvironment env",
            set_condition<ConditionKind::environment>},
    KeySpec{Section::conditions, "command", "an array of strings, or an array of such arrays", "[]",
            "The command, run as the service would be, exits with 0. A ! in front of the "
            "program turns it round.",
            "exec-condition execcondition exec test",
            [](S s) { read_command_conditions(s, s.spec.conditions); }},
    KeySpec{Section::conditions, "virtualization",
            "a word such as \"container\" or \"vm\", or an array of them", "[]",
            "Where foster runs: \"container\", \"vm\", \"none\", or the name of a kind such as "
            "\"docker\" or \"kvm\".",
            "condition-virtualization conditionvirtualization container",
            set_condition<ConditionKind::virtualization>},
    KeySpec{Section::conditions, "user", "a user's name or number, or an array of them", "[]",
            "The daemon's own user.", "condition-user conditionuser",
            set_condition<ConditionKind::user>},
};

}  // namespace

std::span<const KeySpec> activation_keys() {
  return kKeys;
}

}  // namespace foster
