#include "ctl/remedies.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "ctl/printable.hpp"

namespace foster::ctl {
namespace {

/// "at 12:01:13, in 3.0s".
std::string due(int64_t boot_ns, const Clock& clock) {
  return fmt::format("at {}, {}", moment_text(real_time_of(boot_ns, clock), clock),
                     deadline_text(Instant{boot_ns} - clock.boot));
}

class Advice {
 public:
  Advice(const UnitView& unit, const Clock& clock, std::vector<Remedy>& remedies)
      : body_(unit.body),
        name_(printable(unit.name)),
        blocker_(printable(unit.blocker)),
        listener_(printable(unit.listener)),
        clock_(clock),
        remedies_(remedies) {}

  void by_state() {
    switch (body_.state) {
      case FOSTER_STATE_BACKOFF:
        by_itself(name_ + " is tried again " + due(body_.deadline_boot_ns, clock_));
        return verb("start", "tries it now");
      case FOSTER_STATE_WAITING:
        return waiting();
      case FOSTER_STATE_STARTING:
        if (body_.start_deadline_boot_ns != 0)
          by_itself("foster gives up on " + name_ + " " +
                    due(body_.start_deadline_boot_ns, clock_));
        return;
      case FOSTER_STATE_STOPPING:
        if (body_.deadline_boot_ns != 0)
          by_itself(name_ + " gets SIGKILL " + due(body_.deadline_boot_ns, clock_));
        return;
      case FOSTER_STATE_FAILED:
        return failed();
      case FOSTER_STATE_STOPPED:
        return stopped();
      case FOSTER_STATE_LISTENING:
        return by_itself(name_ + " starts by itself once something comes to one of its sockets");
      case FOSTER_STATE_SKIPPED:
        return startable("checks its conditions again");
      case FOSTER_STATE_EXITED:
        if (body_.type != FOSTER_TYPE_ONESHOT) startable("starts it again");
        return;
      default:
        return;
    }
  }

 private:
  void add(Remedy remedy) {
    if (std::ranges::find(remedies_, remedy) == remedies_.end())
      remedies_.push_back(std::move(remedy));
  }
  void by_itself(std::string text) { add({.text = std::move(text)}); }
  void verb(std::string_view word, std::string_view text) {
    add({.command = fmt::format("fosterctl {} {}", word, name_), .text = std::string(text)});
  }

  /// A start of a masked unit is refused, and so is that of an instance for a connection.
  void startable(std::string_view text) {
    if (body_.enablement == FOSTER_MASKED) return verb("unmask", "allows it to be started");
    if (!listener_.empty())
      return by_itself(name_ + " is started by a connection to " + listener_ +
                       ", and by nothing else");
    verb("start", text);
  }

  void waiting() {
    if (blocker_.empty()) return;
    const bool conflict = body_.cause == FOSTER_CAUSE_CONFLICT;
    by_itself(fmt::format("{} starts by itself once {} {}", name_, blocker_,
                          conflict ? "has stopped" : "is up"));
  }

  void failed() {
    if (body_.cause != FOSTER_CAUSE_DEPENDENCY || blocker_.empty())
      return startable("tries it again");
    if (body_.goal == FOSTER_GOAL_UP)
      by_itself(fmt::format("{} starts by itself once {} is up", name_, blocker_));
  }

  void stopped() {
    startable("starts it");
    if (body_.cause == FOSTER_CAUSE_CONFLICT && !blocker_.empty())
      by_itself(fmt::format("both can run once neither's file says that {} and {} conflict", name_,
                            blocker_));
    const bool disabled =
        body_.enablement == FOSTER_DISABLED || body_.enablement == FOSTER_DISABLED_BY_FILE;
    if (disabled && listener_.empty()) verb("enable", "has it started with the daemon from now on");
  }

  const foster_slot_body& body_;
  const std::string name_;
  const std::string blocker_;
  const std::string listener_;
  const Clock& clock_;
  std::vector<Remedy>& remedies_;
};

}  // namespace

void add_remedies(const UnitView& unit, const Clock& clock, std::vector<Remedy>& remedies) {
  Advice(unit, clock, remedies).by_state();
}

}  // namespace foster::ctl
