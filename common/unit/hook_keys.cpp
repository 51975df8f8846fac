#include <array>

#include "common/unit/duration_text.hpp"
#include "common/unit/key_readers.hpp"
#include "common/unit/key_tables.hpp"

namespace foster {
namespace {

using S = const Setting&;

constexpr std::string_view kDuration = kDurationExpected;

constexpr std::string_view kCommands = "an array of strings, or an array of such arrays";

template <HookPoint point>
HookSpec& hook(S setting) {
  return setting.spec.hooks.make().hooks[static_cast<size_t>(point)];
}

template <HookPoint point>
void set_commands(S setting) {
  read_commands(setting, hook<point>(setting).commands);
}

template <HookPoint point>
void set_timeout(S setting) {
  read_duration(setting, Duration(1), hook<point>(setting).timeout);
}

void set_on_failure(S setting) {
  if (auto unit = read_reference(setting)) setting.spec.hooks.make().on_failure = std::move(*unit);
}

constexpr std::string_view kTimeoutDoc =
    "How long each of these commands may take before it is ended and has failed.";

constexpr std::array kKeys{
    KeySpec{Section::hooks, "pre-start", kCommands, "[]",
            "Run before the command. If one fails the start has failed.",
            "exec-start-pre execstartpre start-pre before-start prestart setup",
            set_commands<HookPoint::pre_start>},
    KeySpec{Section::hooks, "pre-start-timeout", kDuration, "\"30s\"", kTimeoutDoc, "",
            set_timeout<HookPoint::pre_start>},
    KeySpec{Section::hooks, "post-start", kCommands, "[]",
            "Run once the service is ready; it is up when they are done. If one fails the start "
            "has failed.",
            "exec-start-post execstartpost start-post after-start poststart",
            set_commands<HookPoint::post_start>},
    KeySpec{Section::hooks, "post-start-timeout", kDuration, "\"30s\"", kTimeoutDoc, "",
            set_timeout<HookPoint::post_start>},
    KeySpec{Section::hooks, "pre-stop", kCommands, "[]",
            "Run before the service is asked to end. A failure changes nothing.",
            "before-stop prestop stop-pre", set_commands<HookPoint::pre_stop>},
    KeySpec{Section::hooks, "pre-stop-timeout", kDuration, "\"30s\"", kTimeoutDoc, "",
            set_timeout<HookPoint::pre_stop>},
    KeySpec{Section::hooks, "stop", kCommands, "[]",
            "Run instead of the stop signal; if the main process is still there afterwards it "
            "gets the signal, too. $MAINPID is the number of the main process.",
            "exec-stop execstop stop-command", set_commands<HookPoint::stop>},
    KeySpec{Section::hooks, "stop-timeout", kDuration, "\"30s\"", kTimeoutDoc, "",
            set_timeout<HookPoint::stop>},
    KeySpec{Section::hooks, "post-stop", kCommands, "[]",
            "Run when the service has ended, however it came to that, also when its start "
            "failed.",
            "exec-stop-post execstoppost stop-post after-stop poststop finish cleanup",
            set_commands<HookPoint::post_stop>},
    KeySpec{Section::hooks, "post-stop-timeout", kDuration, "\"30s\"", kTimeoutDoc, "",
            set_timeout<HookPoint::post_stop>},
    KeySpec{Section::hooks, "reload", kCommands, "[]",
            "What fosterctl reload runs. $MAINPID is the number of the main process.",
            "exec-reload execreload reload-command", set_commands<HookPoint::reload>},
    KeySpec{Section::hooks, "reload-timeout", kDuration, "\"30s\"", kTimeoutDoc, "",
            set_timeout<HookPoint::reload>},
    KeySpec{Section::hooks, "reload-signal", "a signal's name such as \"SIGHUP\"", "none",
            "What fosterctl reload sends to the main process, instead of a command.",
            "reloadsignal", [](S s) { read_signal(s, s.spec.hooks.make().reload_signal); }},
    KeySpec{Section::hooks, "on-failure", "a unit's name", "none",
            "A unit that is started when this one has failed for good. The environment of its "
            "processes says what happened.",
            "onfailure failure", set_on_failure},
};

}  // namespace

std::span<const KeySpec> hook_keys() {
  return kKeys;
}

}  // namespace foster
