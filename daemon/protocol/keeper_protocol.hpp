// What keeper and manager say to each other, over the SOCK_SEQPACKET pair that the keeper makes for
// each manager it starts (common/ipc/channel.hpp). The manager finds its end as descriptor
// kManagerFd.
//
// A manager's life: the keeper sends handover_begin, a child for each attempt it knows, a
// stored_descriptor for each it holds, handover_end. Then, for every attempt whose news have not
// been acknowledged, the news again as ordinary records: a manager that has just started and one
// that has run for a year are told of things in the same words. The manager answers with `ready`
// once it serves.
//
// A manager that exits by itself before any manager of this keeper ever said `ready`, while there
// are no children, ends the keeper with its exit code: that is how --help, --version, usage errors,
// bad unit files and a second daemon on the same instance end. In every other case it is started
// again.
//
// The manager gets a process group of its own, so that a terminal's signals reach it through the
// keeper alone, and SIGTTIN and SIGTTOU ignored, so that it can write to that terminal all the
// same.
//
// Records are plain structs; strings follow them, NUL-terminated, in the order their counts are
// listed. Nothing here goes over a machine's border, so the encoding is the machine's own.
#pragma once

#include <cstdint>
#include <sys/types.h>

namespace foster::protocol {

inline constexpr uint32_t kVersion = 3;
inline constexpr int kManagerFd = 3;
inline constexpr uint32_t kSpawnBytesMax = 16 * 1024 * 1024;  // more than execve(2) takes
inline constexpr uint32_t kStoredDescriptorsMax = 8192;
inline constexpr uint32_t kUnitDescriptorsMax =
    4096;  // of these, for units: sockets, stored, passed

/// What the keeper has stored by itself before the first manager: the descriptors that fosterd was
/// given by $LISTEN_FDS (sd_listen_fds(3)), as this, "<number>:<CLOCK_REALTIME, ns>:<FDNAME>".
inline constexpr char kInheritedPrefix[] = "listen:";
inline constexpr uint64_t kAttemptMax = (uint64_t{1} << 62) - 1;
inline constexpr uint32_t kNameMax = 95;         // bytes of a unit's name
inline constexpr uint32_t kStoredNameMax = 511;  // a stored descriptor's has a unit's in it, and
                                                 // what else a manager has to know of it again
inline constexpr uint32_t kInlineSpawnMax = 48 * 1024;  // larger plans travel in a memfd

enum class Type : uint16_t {
  // manager to keeper
  ready = 1,
  spawn = 2,              // SpawnPlan
  spawn_in_memfd = 3,     // SpawnInMemfd, with a memfd whose content is a SpawnPlan record body
  kill = 4,               // Kill
  acknowledge = 5,        // Acknowledge
  store_descriptor = 6,   // StoredDescriptor, with the descriptor; replaces one of the same name
  drop_descriptor = 7,    // StoredDescriptor, without
  notify_supervisor = 8,  // text for $NOTIFY_SOCKET (sd_notify(3)), sent by the keeper, the main
                          // process; with it at
                          // most one descriptor (FDSTORE=1)
  signal_taken = 9,       // SignalNumber: the manager acts on it; the keeper need not
  finish = 10,            // Finish: all is stopped; end the last orphans and exit
  adopt = 11,             // Adopt
  again =
      12,  // the manager is about to exit so as to be started afresh (new units, a new version):
           // this counts as no crash and is not put off
  barrier = 13,  // with a descriptor, which the keeper closes: all that was said before is done

  // keeper to manager
  handover_begin = 64,     // HandoverBegin
  child = 65,              // Child
  stored_descriptor = 66,  // StoredDescriptor, with the descriptor
  handover_end = 67,
  spawned = 68,          // Spawned
  spawn_failed = 69,     // SpawnFailed
  exited = 70,           // Exited
  group_emptied = 71,    // GroupEmptied
  kill_failed = 72,      // KillFailed
  signal_received = 73,  // SignalNumber: the keeper was sent it
  adopt_failed = 74,     // AdoptFailed; success is told by `spawned`
};

/// The child's steps between fork and execve, in order. A failure comes back as {step, errno}.
enum class Step : uint32_t {
  fork = 0,     // the keeper itself could not fork or make the report pipe
  plan = 1,     // the plan did not add up (a bug, or a memfd that could not be mapped)
  signals = 2,  // mask and dispositions back to the default
  session = 3,  // setsid, or setpgid and the terminal for a foreground command
  standard_input = 4,
  standard_output = 5,
  standard_error = 6,
  umask = 7,
  groups = 8,
  group_id = 9,
  user_id = 10,
  parent_death =
      11,  // PR_SET_PDEATHSIG, so that no service outlives a killed keeper and is doubled by
           // the next one; after user_id, because a change of credentials clears it
  working_directory = 12,  // as the service's user, which is who must be able to enter it
  descriptors = 13,        // those to pass, to their numbers; the rest is CLOEXEC
  execute = 14,
};

/// For messages: "cannot <this>: <strerror>".
[[nodiscard]] const char* step_text(Step step);

enum SpawnFlags : uint32_t {
  kForeground = 1,    // keep stdin, setpgid instead of setsid, take the terminal if stdin is one
  kSetIds = 2,        // uid, gid and groups are to be set
  kSetDirectory = 4,  // there is a working directory; otherwise the keeper's own is kept
};

/// At most this many descriptors come with a plan (SCM_MAX_FD of the kernel is 253).
inline constexpr uint32_t kSpawnDescriptorsMax = 250;

/// Followed by: groups (gid_t each), descriptor numbers (int32_t each), then strings: unit name,
/// program (path for execve), working directory (only with kSetDirectory), argv strings, envp
/// strings. The descriptors ride with the record as SCM_RIGHTS, in the order of the numbers that
/// the child is to have them at; after the memfd, where there is one. 0, 1 and 2 are allowed and
/// then take the place of the standard ones. A string of envp that begins with "WATCHDOG_PID=" or
/// "LISTEN_PID=" and goes on with kPidDigits zeros gets the child's pid in their place.
inline constexpr uint32_t kPidDigits = 10;
struct SpawnPlan {
  uint64_t attempt;
  uint32_t tag;  // the manager's own: what the process is for. Comes back in Child
  uint32_t fd_count;
  uint32_t flags;
  uid_t uid;
  gid_t gid;
  uint32_t group_count;
  mode_t umask;
  uint32_t argc;
  uint32_t envc;
  uint32_t string_bytes;  // of all strings with their NULs
};

/// For the answer, should the memfd turn out not to be readable.
struct SpawnInMemfd {
  uint64_t attempt;
};

enum class KillScope : uint32_t {
  main = 0,   // the main process, if it has not been reaped
  group = 1,  // its process group, also once the main process has been reaped
};

/// SIGCONT is sent after the signal (not after SIGKILL, SIGSTOP, SIGCONT themselves) if
/// `with_continue`. For a group whose main process is reaped and that is empty, the answer is
/// group_emptied.
struct Kill {
  uint64_t attempt;
  int32_t signal;
  KillScope scope;
  uint32_t with_continue;
  uint32_t reserved;
};

/// The manager has recorded that this attempt is over; the keeper forgets it. Only sent once the
/// attempt's spawn failed, or it exited and its group is empty (or has been given up: `abandon`).
struct Acknowledge {
  uint64_t attempt;
  uint32_t abandon;
  uint32_t reserved;
};

/// The process becomes the main one of a new attempt of the same unit. It must be a child of the
/// keeper that is no other attempt's main process. Its process group is that attempt's group from
/// now on. `from` stays what it is; where both have the same group, acknowledge it with `abandon`.
struct Adopt {
  uint64_t attempt;
  uint64_t from;
  pid_t pid;
  uint32_t tag;
};

/// The keeper forgets the attempt with this answer: there is nothing to acknowledge, and a manager
/// that has not asked is not told.
struct AdoptFailed {
  uint64_t attempt;
  int32_t error;  // ECHILD: no child of the keeper's; EEXIST: another attempt's
  uint32_t reserved;
};

struct StoredDescriptor {
  char name[kStoredNameMax + 1];
};

struct SignalNumber {
  int32_t signal;
};

struct Finish {
  int32_t exit_code;
};

struct HandoverBegin {
  uint32_t version;
  uint32_t manager_restarts;  // 0 for the first
  uint64_t last_attempt;      // highest seen so far
  pid_t keeper_pid;
  uint32_t is_init;  // the keeper is PID 1
};

enum class ChildPhase : uint32_t {
  forked = 0,  // the report pipe is still open
  running = 1,
  lingering = 2,  // main process reaped, others of the group remain
  over = 3,       // not acknowledged yet
};

struct Child {
  uint64_t attempt;
  pid_t pid;
  ChildPhase phase;
  int32_t last_signal;  // that the manager asked for, 0 = none: a new manager need not repeat it
  uint32_t tag;         // of its plan
  int64_t spawned_boot_ns;
  char unit[kNameMax + 1];
};

struct Spawned {
  uint64_t attempt;
  pid_t pid;
  uint32_t reserved;
  int64_t at_boot_ns;
};

struct SpawnFailed {
  uint64_t attempt;
  Step step;
  int32_t error;
};

/// Decided by waitpid alone. `group_remains`: others of its process group are still there.
struct Exited {
  uint64_t attempt;
  pid_t pid;
  int32_t wait_status;
  uint32_t group_remains;
  uint32_t reserved;
  int64_t at_boot_ns;
  uint64_t user_us;
  uint64_t system_us;
  uint64_t max_rss_kib;
};

struct GroupEmptied {
  uint64_t attempt;
};

struct KillFailed {
  uint64_t attempt;
  int32_t signal;
  int32_t error;
};

}  // namespace foster::protocol
