// The guard of the status region: one System V semaphore (semop(2)). 0 = at rest, 1 = the writer
// writes.
//
// The writer waits for zero and adds one in a single atomic operation with SEM_UNDO, so that the
// kernel gives the guard back when the writer dies. Readers only ever wait for zero: that needs
// read permission alone (the set's mode is 0644) and changes nothing, so no reader can hold the
// writer up.
#pragma once

#include "common/instant.hpp"
#include "common/result.hpp"

namespace foster::region {

class Guard {
 public:
  static constexpr int kNoSet = -1;

  /// How an attempt to take the guard or to see it at rest ended.
  enum class Outcome {
    done,
    timed_out,
    removed,  // there is no such set (any more): EIDRM, EINVAL
    denied,   // the set is somebody else's
  };

  Guard() = default;
  explicit Guard(int id) : id_(id) {}

  /// A new private set of one semaphore, at rest, readable by everyone.
  static Result<Guard> create();

  [[nodiscard]] int id() const { return id_; }

  /// The writer's side. Nothing is held unless the outcome is `done`.
  [[nodiscard]] Outcome acquire(Duration limit) const;
  void release() const;

  /// The readers' side: sleeps until the guard is at rest.
  [[nodiscard]] Outcome wait_for_rest(Duration limit) const;

  /// Whether the set looks like one that `create` made for our user. A number read from an old
  /// object may by now be that of a stranger's set, which must not be removed.
  [[nodiscard]] bool is_ours() const;

  /// Removes the set from the system; whoever waits on it is told (EIDRM).
  void remove() const;

 private:
  int id_ = kNoSet;
};

}  // namespace foster::region
