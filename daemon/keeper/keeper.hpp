// The keeper's whole state, in one place. Each file beside this one holds the functions of one
// concern and works on it: spawn, reaper, commands (what the manager asks for), telling (what it is
// told), manager_link (its life), last_stop (the end). There is one thread and no function blocks.
#pragma once

#include <cstdint>
#include <sys/resource.h>
#include <sys/types.h>

#include "common/ipc/channel.hpp"
#include "common/ipc/unique_fd.hpp"
#include "daemon/keeper/child_table.hpp"
#include "daemon/keeper/fd_store.hpp"

namespace foster::keeper {

inline constexpr int64_t kMillisecond = 1'000'000;
inline constexpr int64_t kSecond = 1000 * kMillisecond;

/// What an epoll event is about: a report pipe's attempt, or one of these.
inline constexpr uint64_t kSignalsKey = UINT64_MAX;
inline constexpr uint64_t kManagerKey = UINT64_MAX - 1;

/// Attempts just forked, in a ring, whose report pipes are looked at between forks: most programs
/// execute within a few forks' time, and each descriptor open makes the next fork dearer. Only what
/// takes longer is given to epoll.
struct FreshForks {
  static constexpr uint32_t kMax = 64;
  uint64_t attempts[kMax];
  uint32_t first = 0;
  uint32_t count = 0;
};

/// A process that has been reaped.
struct Death {
  pid_t pid;  // 0: none
  int32_t wait_status;
  int64_t at_ns;
  uint64_t user_us;
  uint64_t system_us;
  uint32_t max_rss_kib;
};

/// The last that were nobody's main process, for a manager that adopts one as it dies.
struct DeadOrphans {
  static constexpr uint32_t kMax = 16;
  Death deaths[kMax];
  uint32_t next = 0;

  void add(const Death& death) { deaths[next++ % kMax] = death; }
};

/// The argv and envp arrays of the spawn under way, kept for the next.
struct PointerBuffer {
  char** pointers = nullptr;
  size_t capacity = 0;
};

enum class HandoverStage { begin, children, descriptors, end, done };

struct ManagerLink {
  pid_t pid = 0;     // 0: there is none
  UniqueFd channel;  // empty: not connected
  bool watched_for_room = false;
  bool deaf = false;  // it takes nothing any more; what it has said is still read
  ipc::PacketWriter out;
  ipc::PacketReader in;
  HandoverStage stage = HandoverStage::begin;
  uint32_t slot = 0;  // where the stage is

  uint32_t starts = 0;
  bool ever_ready = false;
  int64_t ready_at_ns = 0;  // of the present one; 0: not yet
  bool last_was_ready = true;
  bool goes = false;              // it has said that it ends so as to be started afresh
  uint32_t deaths_by_signal = 0;  // before the first was ready
  int64_t delay_ready_ns = 0;     // last waited after one that had been ready
  int64_t delay_unready_ns = 0;   // last waited after one that had not
  int64_t start_at_ns = 0;        // 0: no start is due
  int64_t end_by_ns = 0;          // it has hung up and should be gone by then; 0: it has not

  // Bits by the places of signals.hpp's table.
  uint32_t untold_signals = 0;
  uint32_t untaken_signals = 0;
  int64_t take_by_ns = 0;         // SIGTERM or SIGINT must be taken by then; 0: none waits
  bool replaced_to_stop = false;  // one manager was killed already for not taking it
};

/// Lives in memory that a fork leaves out: a child must not look at it.
struct Keeper {
  char** argv = nullptr;
  char** envp = nullptr;
  pid_t pid = 0;
  bool is_init = false;
  int null_fd = -1;           // /dev/null, or a negated errno
  rlimit descriptor_limit{};  // as the keeper found it: the services' own
  UniqueFd epoll;
  UniqueFd signals;
  ChildTable children;
  FdStore store;
  FreshForks fresh;
  DeadOrphans orphans{};
  PointerBuffer pointers;
  ManagerLink manager;
  uint64_t last_attempt = 0;
  bool ending = false;  // no manager is started any more
  bool finish_asked = false;
  int finish_code = 0;
};

/// CLOCK_BOOTTIME, as the manager has it.
[[nodiscard]] int64_t now_ns();

/// Runs until the end; does not return.
[[noreturn]] void run(char** argv, char** envp);

/// Reads the signalfd: reaps, and notes what is for the manager. True if SIGTERM or SIGINT was
/// there.
bool take_signals(Keeper& keeper);

}  // namespace foster::keeper
