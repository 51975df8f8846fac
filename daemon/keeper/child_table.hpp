// What the keeper knows of each attempt, from the request to spawn it until the manager has
// acknowledged its end. The news of an attempt are kept in its entry, never in a queue of messages:
// a manager that does not read costs no memory, and one that has just started is told again by
// marking entries.
//
//   forked --> running --> over            (main process reaped, its group empty)
//      |          |          ^
//      |          +--> lingering           (main process reaped, others of its group remain)
//      +--> over                           (the spawn failed; or the adoption, until that is told)
//
// A process that is adopted begins at `running`, and keeps the group that it has. It may also leave
// that for one of its own later, as daemons do that end their starter first: its group is looked up
// whenever it counts, the last time while it is a zombie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <sys/types.h>

#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::keeper {

using protocol::ChildPhase;

/// Things that happened to an attempt and that a manager has to hear of, in the order it hears
/// them.
enum News : uint8_t {
  kSpawnedNews = 1,
  kSpawnFailedNews = 2,
  kExitedNews = 4,
  kGroupEmptiedNews = 8,
  kKillFailedNews = 16,   // the answer to a manager that asked; not told to the next one
  kAdoptFailedNews = 32,  // likewise; of a refused adoption nothing else is kept
};

struct ChildEntry {
  uint64_t attempt;  // 0: the slot is free
  int64_t forked_ns;
  int64_t executed_ns;
  int64_t exited_ns;
  uint64_t user_us;
  uint64_t system_us;
  pid_t pid;    // 0: never forked
  pid_t group;  // its process group: the pid of what the keeper forked, any of what it adopted
  uint32_t tag;
  int32_t wait_status;
  int32_t report_fd;  // the read end of the report pipe; -1 once it has told
  int32_t last_signal;
  int32_t error;  // of the step that failed
  uint32_t max_rss_kib;
  uint32_t pid_link;
  uint32_t attempt_link;
  uint32_t news_before;
  uint32_t news_after;
  uint16_t kill_error;
  uint8_t kill_signal;
  uint8_t failed_step;
  ChildPhase phase;
  uint8_t happened;  // News, all so far
  uint8_t untold;    // News, of which this manager has not heard
  bool spawn_failed : 1;
  bool report_watched : 1;  // by epoll
  bool foreground : 1;
  bool group_remained : 1;
  bool adopted : 1;
  bool led : 1;  // lingering, and the group's leader, another process, was alive still
  bool pid_listed : 1;
  bool news_listed : 1;
  char unit[protocol::kNameMax + 1];
};
static_assert(sizeof(ChildEntry) <= 208);

class ChildTable {
 public:
  ChildTable() = default;
  ~ChildTable();
  ChildTable(const ChildTable&) = delete;
  ChildTable& operator=(const ChildTable&) = delete;

  /// A new entry in phase `forked`, or null without memory. Moves the entries: pointers to others
  /// end.
  [[nodiscard]] ChildEntry* add(uint64_t attempt);
  void remove(ChildEntry& child);

  [[nodiscard]] ChildEntry* by_attempt(uint64_t attempt);
  /// The attempt whose main process this is, as long as it is not reaped.
  [[nodiscard]] ChildEntry* by_pid(pid_t pid);
  /// One of the lingering attempts that left this group behind. There may be several: an adopted
  /// process can share the group of what it was adopted from.
  [[nodiscard]] ChildEntry* lingering_in(pid_t group);
  void forked(ChildEntry& child, pid_t pid);
  void adopted(ChildEntry& child, pid_t pid, pid_t group);
  void enter(ChildEntry& child, ChildPhase phase);

  void announce(ChildEntry& child, News news);
  void told(ChildEntry& child, News news);
  [[nodiscard]] ChildEntry* first_with_news();
  /// A new manager: everything that happened is news again, but for answers to its predecessor.
  void forget_told();

  /// For going through all: null where a slot is free.
  [[nodiscard]] uint32_t slots() const { return used_; }
  [[nodiscard]] ChildEntry* at(uint32_t slot);

  /// Attempts that are not over, and those of them that linger.
  [[nodiscard]] uint32_t alive() const { return alive_; }
  [[nodiscard]] uint32_t lingering() const { return lingering_; }
  /// Adopted ones whose main process is not reaped.
  [[nodiscard]] uint32_t adopted_mains() const { return adopted_; }

  static constexpr uint32_t kNone = UINT32_MAX;

 private:
  [[nodiscard]] bool grow();
  [[nodiscard]] uint32_t slot_of(const ChildEntry& child) const;
  void link_attempt(uint32_t slot);
  /// By the main process, or by the group while lingering.
  void link_pid(uint32_t slot);
  void unlink_pid(ChildEntry& child);
  [[nodiscard]] uint32_t& pid_bucket(pid_t number);
  void unlist_news(ChildEntry& child);

  void* memory_ = nullptr;  // unforked: the entries, then the buckets
  size_t memory_bytes_ = 0;
  ChildEntry* entries_ = nullptr;
  uint32_t* buckets_ = nullptr;  // capacity_ heads by attempt, then capacity_ heads by pid
  uint32_t capacity_ = 0;        // a power of two
  uint32_t used_ = 0;            // slots below it have been in use
  uint32_t free_ = kNone;        // head of the free slots, linked by attempt_link
  uint32_t news_first_ = kNone;
  uint32_t news_last_ = kNone;
  uint32_t alive_ = 0;
  uint32_t lingering_ = 0;
  uint32_t adopted_ = 0;
};

}  // namespace foster::keeper
