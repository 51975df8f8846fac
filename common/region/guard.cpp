#include "common/region/guard.hpp"

#include <algorithm>
#include <cerrno>
#include <span>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <unistd.h>

namespace foster::region {
namespace {

constexpr int kMode = 0644;
constexpr unsigned short kOnly = 0;  // the set has one semaphore

// The caller defines this union, says semctl(2).
union SemaphoreArgument {
  int value;
  semid_ds* status;
};

timespec as_timespec(Duration duration) {
  const int64_t ns = std::max<int64_t>(duration.count(), 0);
  return {.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
}

// semtimedop is never restarted by the kernel after a signal, so the remaining time is taken up
// again.
Guard::Outcome operate(int id, std::span<sembuf> operations, Duration limit) {
  const Instant deadline = now_since_boot() + limit;
  Duration remaining = limit;
  for (;;) {
    const timespec timeout = as_timespec(remaining);
    if (semtimedop(id, operations.data(), operations.size(), &timeout) == 0)
      return Guard::Outcome::done;
    if (errno == EAGAIN) return Guard::Outcome::timed_out;
    if (errno == EACCES) return Guard::Outcome::denied;
    if (errno != EINTR) return Guard::Outcome::removed;
    remaining = deadline - now_since_boot();
  }
}

}  // namespace

Result<Guard> Guard::create() {
  const int id = semget(IPC_PRIVATE, 1, IPC_CREAT | IPC_EXCL | kMode);
  if (id < 0) return system_failure("create a semaphore set", errno);
  return Guard(id);
}

Guard::Outcome Guard::acquire(Duration limit) const {
  sembuf operations[] = {{.sem_num = kOnly, .sem_op = 0, .sem_flg = 0},
                         {.sem_num = kOnly, .sem_op = 1, .sem_flg = SEM_UNDO}};
  return operate(id_, operations, limit);
}

void Guard::release() const {
  sembuf operation{.sem_num = kOnly, .sem_op = -1, .sem_flg = SEM_UNDO | IPC_NOWAIT};
  // Every failure means that there is nothing left to release: the set is gone, or someone of our
  // own user has put it to zero. The next acquire finds out what there is.
  [[maybe_unused]] const int ignored = semop(id_, &operation, 1);
}

Guard::Outcome Guard::wait_for_rest(Duration limit) const {
  sembuf operation{.sem_num = kOnly, .sem_op = 0, .sem_flg = 0};
  return operate(id_, std::span(&operation, 1), limit);
}

bool Guard::is_ours() const {
  semid_ds status{};
  SemaphoreArgument argument{.status = &status};
  if (semctl(id_, 0, IPC_STAT, argument) != 0) return false;
  const ipc_perm& permissions = status.sem_perm;
  return permissions.uid == geteuid() && permissions.cuid == geteuid() &&
         permissions.__key == IPC_PRIVATE && (permissions.mode & 0777) == kMode &&
         status.sem_nsems == 1;
}

void Guard::remove() const {
  // When it cannot be removed it is gone already, or was never ours to remove.
  [[maybe_unused]] const int ignored = semctl(id_, 0, IPC_RMID);
}

}  // namespace foster::region
