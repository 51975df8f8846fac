// Whose messages on $NOTIFY_SOCKET count ([service] notify-access), judged by what the kernel says
// of the sender: its credentials (SCM_CREDENTIALS in unix(7)) and what /proc shows of it. Pure.
#pragma once

#include <cstdint>
#include <sys/types.h>

#include "common/ids.hpp"
#include "common/unit/unit_spec.hpp"
#include "daemon/core/unit_state.hpp"

namespace foster::manager {

struct Sender {
  int32_t pid = 0;
  uid_t uid = 0;
  bool gone = false;     // it has ended since it sent the message
  bool trusted = false;  // its uid is root's, the daemon's or the unit's own
  bool marked = false;   // its environment names this unit of this instance
  int32_t group = 0;
  int32_t session = 0;
};

enum class Verdict : uint8_t {
  admitted,
  /// The keeper has not yet said which process it started: ask again once it has.
  too_early,
  not_main,     // and notify-access = "main"
  not_exec,     // and notify-access = "exec"
  not_of_unit,  // and notify-access = "all"
};

/// A process that only the environment ties to the unit, or that nothing ties to it any more
/// (systemd-notify(1) ends at once), is believed when its uid is trusted: anyone may set a
/// variable. Of a forking unit every process counts until its main process is known.
[[nodiscard]] Verdict judge_sender(const UnitSpec& unit, const core::UnitRecord& record,
                                   const Sender& sender);

/// What /proc shows of the process that MAINPID names.
struct Named {
  int32_t pid = 0;
  bool alive = false;
  uid_t uid = 0;
  bool marked = false;      // its environment names this unit of this instance
  bool of_another = false;  // it, or its session, is another unit's of this instance
  int32_t group = 0;
  int32_t session = 0;
};

/// Whether the sender, who is admitted, may make this process the unit's main one. It has to be the
/// unit's own; of one that nothing ties to any unit (its program may have written over its
/// environment) it is enough that the sender could signal it by itself. `privileged`: root's word,
/// and that of the daemon's own user, count unless the process is another unit's.
[[nodiscard]] bool may_be_main(const core::UnitRecord& record, const Sender& sender,
                               bool privileged, const Named& named);

/// The attempt that the sender belongs to, where that is the one which is to take over from the
/// main process, or the one it has taken over from; 0 otherwise.
[[nodiscard]] Attempt attempt_of(const core::UnitRecord& record, const Sender& sender);

/// A process of the unit has been asked for and the answer with its pid is still to come.
[[nodiscard]] bool pid_is_under_way(const UnitSpec& unit, const core::UnitRecord& record);

/// For the log: why it was refused. Only of those verdicts that refuse.
[[nodiscard]] const char* refusal_text(Verdict verdict);

}  // namespace foster::manager
