#include <array>

#include "common/unit/key_readers.hpp"
#include "common/unit/key_tables.hpp"

namespace foster {
namespace {

using S = const Setting&;

constexpr std::array<std::string_view, 5> kTypes{"simple", "oneshot", "notify", "forking", "group"};
constexpr std::array<std::string_view, 3> kAccess{"main", "exec", "all"};

constexpr std::array kKeys{
    KeySpec{Section::top, "description", "a string", "\"\"",
            "What the service is, in one line, for people.", "summary title",
            [](S s) { read_one_line(s, s.spec.description); }},
    KeySpec{Section::top, "enabled", "true or false", "true",
            "Whether the unit is started with the daemon; one with a [timer] is started by that "
            "alone. fosterctl enable and disable say otherwise without a change of the file.",
            "autostart auto-start boot start-on", [](S s) { read_boolean(s, s.spec.enabled); }},
    KeySpec{
        Section::top, "essential", "true or false", "false",
        "When the service is gone for good, everything is stopped, and its exit code (128 and the "
        "signal's number after a death by signal) becomes that of fosterd.",
        "critical", [](S s) { read_boolean(s, s.spec.essential); }},
    KeySpec{Section::top, "restart-dependents", "true or false", "true",
            "Whether a restart that someone asks for takes the units that require this one along. "
            "With false they go on running.",
            "propagate-restart", [](S s) { read_boolean(s, s.spec.restart_dependents); }},
    KeySpec{
        Section::top, "instances",
        "a whole number from 0 to 10000, or an array of names of instances", "[]",
        "In a template such as worker@.toml: which instances there are. 4 stands for worker@1 to "
        "worker@4, [\"a\", \"b\"] for worker@a and worker@b.",
        "numprocs scale replicas count default-instance",
        [](S s) { read_instances(s, s.instances); }},

    KeySpec{
        Section::service, "type",
        "one of \"simple\", \"oneshot\", \"notify\", \"forking\" and \"group\"", "\"simple\"",
        "A simple service is up as soon as its program has been executed, or once what [ready] "
        "asks "
        "for is seen. A oneshot is up once its commands have exited with success, one after "
        "another. A notify service is up once it says READY=1 (sd_notify(3)). A forking service "
        "leaves a daemon behind and exits with 0: that daemon is its main process from then on. A "
        "group runs nothing: it is a name for the units that it depends on.",
        "kind",
        [](S s) {
          if (const auto word = read_word(s, kTypes)) s.spec.type = ServiceType{uint8_t(*word)};
        }},
    KeySpec{
        Section::service, "command", "an array of strings", "none: it must be given",
        "The program and its arguments. The program is an absolute path, or a name that is looked "
        "up in the PATH of the service's environment. No shell is involved: ${NAME} becomes the "
        "value of a variable of the service's environment, $$ a dollar sign; as in every string, "
        "%n "
        "and the like stand for the unit's name, and %% for a percent sign. Nothing else is "
        "special. A oneshot may have several commands, each an array in an array around them; the "
        "first that fails is the last.",
        "cmd exec execstart exec-start program run argv",
        [](S s) { read_main_commands(s, s.spec); }},
    KeySpec{
        Section::service, "remain-after-exit", "true or false", "false",
        "Whether a oneshot that is done counts as being there until it is stopped: a start does "
        "not run it again before that, and a stop runs its hooks.",
        "remainafterexit", [](S s) { read_boolean(s, s.spec.remain_after_exit); }},
    KeySpec{Section::service, "pid-file", "an absolute path",
            "none: the only process that is left of the command's is the main one",
            "Where a forking service writes the number of its main process.", "pidfile pid",
            [](S s) { read_path(s, s.spec.pid_file); }},
    KeySpec{
        Section::service, "keep-output", "true or false", "false",
        "Whether the last 16 KiB of what the service writes are kept, so that `fosterctl why` can "
        "show its last lines. A small process beside the service then passes its output on; "
        "to the service, that is a pipe.",
        "tail last-lines", [](S s) { read_boolean(s, s.spec.keep_output); }},
    KeySpec{Section::service, "notify-access", "one of \"main\", \"exec\" and \"all\"", "\"main\"",
            "Whose messages on $NOTIFY_SOCKET count: those of the main process, those of hooks and "
            "checks as well, or those of every process of the service. With the last two the "
            "service has a "
            "$NOTIFY_SOCKET, whatever its type.",
            "notifyaccess",
            [](S s) {
              if (const auto word = read_word(s, kAccess))
                s.spec.notify_access = NotifyAccess{uint8_t(*word)};
            }},
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
            [](S s) { read_permissions(s, s.spec.umask); }},
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
};

}  // namespace

std::span<const KeySpec> service_keys() {
  return kKeys;
}

}  // namespace foster
