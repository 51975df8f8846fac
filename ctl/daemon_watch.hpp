// Sleeping until the region changes, or the daemon is gone. Two things have to wake us that no
// single system call waits for: the futex in the region, and the end of the keeper, after which
// nobody touches that futex any more. So a thread of its own sleeps on the futex and passes each
// change on to an eventfd(2), and we poll that one together with a pidfd of the keeper.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/instant.hpp"
#include "common/ipc/unique_fd.hpp"
#include "common/region/reader.hpp"
#include "common/result.hpp"

namespace foster::ctl {

enum class Wake {
  changed,  // look again
  ended,    // the daemon has ended in order
  gone,     // the daemon is gone without having said so
  timed_out,
  unread,  // nobody reads the output any more
};

/// A pidfd of the process with that pid; invalid when there is none any more.
[[nodiscard]] UniqueFd open_pidfd(int32_t pid);

/// How poll(2) measures what is left until `until`, rounded up; -1 without an end.
[[nodiscard]] int poll_timeout(std::optional<Instant> until);

/// An inotify(7) descriptor that tells of names that appear among the shared memory objects. An
/// object gets its name by rename(2), so it is complete by then.
[[nodiscard]] UniqueFd watch_names();

/// Takes what an eventfd or inotify descriptor, which must not block, has to say.
void drain(int descriptor);

class DaemonWatch {
 public:
  /// `reader` is refreshed in sleep() and await_successor(), and nowhere else meanwhile.
  DaemonWatch(region::Reader& reader, std::string instance_id);
  ~DaemonWatch();
  DaemonWatch(const DaemonWatch&) = delete;
  DaemonWatch& operator=(const DaemonWatch&) = delete;

  /// Sleeps until there is something to look at. No change is missed: the first sleep ends at once,
  /// so that what happened since the look before it is seen. Whatever a daemon wrote last is
  /// reported as a change before its end is.
  /// `output` is a descriptor whose reader is watched, so that `watch | head -1` ends with head; -1
  /// for none.
  [[nodiscard]] Wake sleep(std::optional<Instant> until, int output = -1);

  /// After `gone`: sleeps until a daemon has taken the instance up again, whose the reader is then:
  /// `changed`. Or `unread`.
  Result<Wake> await_successor(int output);

 private:
  struct Sleeper;

  void begin();
  [[nodiscard]] Result<region::Reader> open_again() const;
  /// `changed`, `timed_out` or `unread`.
  [[nodiscard]] Wake await_wake(std::optional<Instant> until, int output);
  [[nodiscard]] std::optional<Wake> end_of_daemon();
  [[nodiscard]] std::optional<Wake> verdict();

  region::Reader& reader_;
  std::string id_;
  std::shared_ptr<Sleeper> sleeper_;  // null: the object vanished before it could open it as well
  UniqueFd names_;  // an inotify(7) descriptor, while there is no object to sleep on
  UniqueFd keeper_;
  bool keeper_gone_ = false;
  bool last_look_given_ = false;  // the caller was told to look after the end was seen
};

}  // namespace foster::ctl
