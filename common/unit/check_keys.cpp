#include <array>

#include "common/unit/duration_text.hpp"
#include "common/unit/key_readers.hpp"
#include "common/unit/key_tables.hpp"
#include "common/unit/size_text.hpp"

namespace foster {
namespace {

using S = const Setting&;

constexpr std::string_view kDuration = kDurationExpected;
constexpr std::string_view kSize = kSizeExpected;

constexpr std::array<std::string_view, 2> kTimeouts{"fail", "run"};
constexpr std::array<std::string_view, 3> kActions{"restart", "stop", "none"};

ReadySpec& ready(S setting) {
  return setting.spec.ready.make();
}
ReadySpec& ready(S setting, ReadyKind kind) {
  ready(setting).kind = kind;
  return ready(setting);
}
HealthSpec& health(S setting) {
  return setting.spec.health.make();
}
HealthSpec& health(S setting, HealthKind kind) {
  health(setting).kind = kind;
  return health(setting);
}

void set_ready_notify(S setting) {
  bool notify = false;
  read_boolean(setting, notify);
  if (notify) ready(setting, ReadyKind::notify);
}

void set_ready_timeout_action(S setting) {
  if (const auto word = read_word(setting, kTimeouts))
    ready(setting).on_timeout = ReadyTimeout{uint8_t(*word)};
}

void set_health_action(S setting) {
  if (const auto word = read_word(setting, kActions))
    health(setting).action = HealthAction{uint8_t(*word)};
}

constexpr std::array kKeys{
    KeySpec{Section::ready, "notify", "true or false", "false",
            "Ready when it says READY=1 on $NOTIFY_SOCKET (sd_notify(3)).", "sd-notify",
            [](S s) { set_ready_notify(s); }},
    KeySpec{Section::ready, "descriptor", "a whole number from 3 to 255", "none",
            "Ready when it writes a newline to this descriptor, which it is given.",
            "notification-fd ready-notification pipefd fd",
            [](S s) { read_descriptor(s, ready(s, ReadyKind::descriptor).descriptor); }},
    KeySpec{
        Section::ready, "descriptor-variable", "a string: the name of a variable", "none",
        "As descriptor, with a number of foster's choice, which stands in this variable of "
        "its environment.",
        "pipevar",
        [](S s) { read_variable_name(s, ready(s, ReadyKind::descriptor).descriptor_variable); }},
    KeySpec{Section::ready, "tcp", "a string: a host and a port, such as \"localhost:8080\"",
            "none", "Ready when a TCP connection to it is accepted.", "port address listen",
            [](S s) { read_address(s, ready(s, ReadyKind::tcp).target); }},
    KeySpec{Section::ready, "unix", "an absolute path", "none",
            "Ready when a connection to this UNIX socket is accepted.", "socket",
            [](S s) { read_socket_path(s, ready(s, ReadyKind::unix_socket).target); }},
    KeySpec{Section::ready, "http", "a string: a URL such as \"http://localhost:8080/ready\"",
            "none", "Ready when a GET of it is answered with http-status.", "url https http-get",
            [](S s) { read_url(s, ready(s, ReadyKind::http).target); }},
    KeySpec{Section::ready, "http-status", "a whole number from 100 to 599", "any from 200 to 399",
            "The status of the answer that counts as ready.", "status expected-status",
            [](S s) { read_http_status(s, ready(s).http_status); }},
    KeySpec{Section::ready, "command", "an array of strings", "none",
            "Ready when this command exits with 0. It runs as the service does, again and again "
            "until then.",
            "check exec cmd test",
            [](S s) { read_command(s, ready(s, ReadyKind::command).command); }},
    KeySpec{Section::ready, "file", "an absolute path", "none",
            "Ready when this file appears. One that was there before the start counts once it is "
            "made anew or touched.",
            "path exists", [](S s) { read_path(s, ready(s, ReadyKind::file).target); }},
    KeySpec{Section::ready, "output", "a string: a POSIX extended regular expression (regex(7))",
            "none", "Ready when a line of its standard output or standard error matches.",
            "log pattern match regex line",
            [](S s) { read_pattern(s, ready(s, ReadyKind::output).target); }},
    KeySpec{Section::ready, "timeout", kDuration, "\"90s\"",
            "How long it may take, from the start of the command, until it is up; 0s is for "
            "ever. It holds for types that show their readiness themselves, too.",
            "timeout-start-sec timeoutstartsec start-timeout timeout-up",
            [](S s) { read_duration(s, Duration(0), ready(s).timeout); }},
    KeySpec{Section::ready, "interval", kDuration, "\"500ms\"",
            "The wait between two tries with tcp, unix, http and command.", "period every",
            [](S s) { read_duration(s, Duration(1), ready(s).interval); }},
    KeySpec{Section::ready, "on-timeout", "one of \"fail\" and \"run\"", "\"fail\"",
            "Whether a service that is not ready in time has failed, or counts as ready.",
            "timeout-action", [](S s) { set_ready_timeout_action(s); }},

    KeySpec{Section::health, "command", "an array of strings", "none",
            "A check: healthy when this command exits with 0. It runs as the service does.",
            "check exec cmd test",
            [](S s) { read_command(s, health(s, HealthKind::command).command); }},
    KeySpec{Section::health, "http", "a string: a URL such as \"http://localhost:8080/health\"",
            "none", "A check: healthy when a GET of it is answered with http-status.",
            "url https http-get", [](S s) { read_url(s, health(s, HealthKind::http).target); }},
    KeySpec{Section::health, "http-status", "a whole number from 100 to 599", "any from 200 to 399",
            "The status of the answer that counts as healthy.", "status expected-status",
            [](S s) { read_http_status(s, health(s).http_status); }},
    KeySpec{Section::health, "tcp", "a string: a host and a port, such as \"localhost:8080\"",
            "none", "A check: healthy when a TCP connection to it is accepted.", "port address",
            [](S s) { read_address(s, health(s, HealthKind::tcp).target); }},
    KeySpec{Section::health, "unix", "an absolute path", "none",
            "A check: healthy when a connection to this UNIX socket is accepted.", "socket",
            [](S s) { read_socket_path(s, health(s, HealthKind::unix_socket).target); }},
    KeySpec{Section::health, "interval", kDuration, "\"10s\"",
            "The wait from the end of one check to the next; also how often memory-max is "
            "looked at.",
            "period every", [](S s) { read_duration(s, Duration(1), health(s).interval); }},
    KeySpec{Section::health, "timeout", kDuration, "\"5s\"",
            "How long a check may take before it is ended and has failed.", "check-timeout",
            [](S s) { read_duration(s, Duration(1), health(s).timeout); }},
    KeySpec{Section::health, "failures", "a whole number from 1 to 1000", "3",
            "So many failed checks in a row make it unhealthy.",
            "retries failure-threshold unhealthy-threshold threshold",
            [](S s) { read_count(s, 1, 1000, health(s).failures); }},
    KeySpec{Section::health, "successes", "a whole number from 1 to 1000", "1",
            "So many good checks in a row make it healthy.", "success-threshold healthy-threshold",
            [](S s) { read_count(s, 1, 1000, health(s).successes); }},
    KeySpec{Section::health, "start-period", kDuration, "\"0s\"",
            "For so long after it came up failed checks do not count.",
            "initial-delay grace startsecs",
            [](S s) { read_duration(s, Duration(0), health(s).start_period); }},
    KeySpec{Section::health, "action", "one of \"restart\", \"stop\" and \"none\"", "\"restart\"",
            "What happens when it becomes unhealthy or uses more memory than memory-max: it is "
            "restarted, stopped, or only its health says so.",
            "on-failure on-unhealthy", [](S s) { set_health_action(s); }},
    KeySpec{Section::health, "watchdog", kDuration, "none",
            "The service has to say WATCHDOG=1 on $NOTIFY_SOCKET at least this often, or it is "
            "ended and has failed.",
            "watchdog-sec watchdogsec",
            [](S s) { read_duration(s, Duration(1), health(s).watchdog); }},
    KeySpec{Section::health, "max-runtime", kDuration, "none",
            "After a run of this length it is ended and has failed.",
            "runtime-max-sec runtimemaxsec",
            [](S s) { read_duration(s, Duration(1), health(s).max_runtime); }},
    KeySpec{Section::health, "memory-max", kSize, "none",
            "With more memory than this in use by its processes action follows at once.",
            "memorymax memory-limit mem-limit memory",
            [](S s) { read_size(s, health(s).memory_max); }},
};

}  // namespace

std::span<const KeySpec> check_keys() {
  return kKeys;
}

}  // namespace foster
