#include "daemon/manager/kin_ender.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "daemon/manager/log.hpp"

namespace foster::manager {

struct KinEnder::Process {
  ~Process() { sd_event_source_disable_unref(source); }

  KinEnder* owner = nullptr;
  uint64_t attempt = 0;
  int32_t pid = 0;
  UniqueFd handle;
  sd_event_source* source = nullptr;
};

struct KinEnder::Task {
  core::EndKin asked;
  std::vector<std::unique_ptr<Process>> living;
  std::vector<int32_t> beyond;  // cannot be ended by us, and has been complained of
};

KinEnder::KinEnder(Surroundings surroundings) : around_(std::move(surroundings)) {}

KinEnder::~KinEnder() = default;

void KinEnder::end(const core::EndKin& asked) {
  std::unique_ptr<Task>& task = tasks_[asked.attempt.value];
  if (!task) task = std::make_unique<Task>();
  task->asked = asked;
  for (const auto& process : task->living)
    static_cast<void>(send(*task, *process));
  look(*task);
}

void KinEnder::look(Task& task) {
  for (const int32_t pid : children_of(around_.keeper))
    take(task, pid);
  if (!task.living.empty()) return;
  around_.queue(core::KinEnded{task.asked.unit, task.asked.attempt});
  tasks_.erase(task.asked.attempt.value);
}

void KinEnder::take(Task& task, int32_t pid) {
  const auto is_it = [pid](const auto& process) { return process->pid == pid; };
  if (std::ranges::any_of(task.living, is_it) || std::ranges::count(task.beyond, pid) > 0) return;
  auto process = std::make_unique<Process>();
  process->owner = this;
  process->attempt = task.asked.attempt.value;
  process->pid = pid;
  process->handle.reset(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  const int no_handle = process->handle ? 0 : errno;
  const auto facts = process_facts(pid);
  if (no_handle == ESRCH || !facts || !facts->alive()) return;
  if (!around_.is_kin(task.asked.unit, task.asked.attempt, *facts)) return;
  int r = -no_handle;
  if (r == 0)
    r = sd_event_add_io(loop_, &process->source, process->handle.get(), EPOLLIN, process_ended,
                        process.get());
  if (r >= 0 && send(task, *process)) {
    log(Level::info, "a process that a unit's command has left is ended",
        {{"pid", pid}, {"name", facts->name}, {"attempt", task.asked.attempt.value}});
    task.living.push_back(std::move(process));
    return;
  }
  if (r >= 0) r = -errno;
  task.beyond.push_back(pid);
  log(Level::error, "cannot end a process that a unit's command has left",
      {{"pid", pid}, {"name", facts->name}, {"why", strerrordesc_np(-r)}});
}

/// One that has just ended counts as signalled: its handle tells of the end. One that is stopped
/// could not end.
bool KinEnder::send(const Task& task, const Process& process) const {
  const int handle = process.handle.get();
  const bool sent = syscall(SYS_pidfd_send_signal, handle, task.asked.signal, nullptr, 0) == 0;
  if (!sent) return errno == ESRCH;
  syscall(SYS_pidfd_send_signal, handle, SIGCONT, nullptr, 0);
  return true;
}

int KinEnder::process_ended(sd_event_source*, int, uint32_t, void* self) {
  auto& process = *static_cast<Process*>(self);
  KinEnder& ender = *process.owner;
  Task& task = *ender.tasks_.at(process.attempt);
  std::erase_if(task.living, [&process](const auto& one) { return one.get() == &process; });
  ender.look(task);
  return 0;
}

}  // namespace foster::manager
