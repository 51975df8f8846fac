#include "daemon/keeper/child_setup.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/keeper/signals.hpp"

namespace foster::keeper {
namespace {

using protocol::Step;

constexpr int kFailedExitCode = 127;  // seen by nobody: the report pipe tells the reason

int outcome(int returned) {
  return returned < 0 ? errno : 0;
}

int signals(ChildSetup&) {
  reset_signals_for_child();
  return 0;
}

int session(ChildSetup& setup) {
  if ((setup.flags & protocol::kForeground) == 0) return outcome(setsid());
  if (setpgid(0, 0) != 0) return errno;
  return take_terminal(getpid());
}

int standard_input(ChildSetup& setup) {
  if ((setup.flags & protocol::kForeground) != 0) return 0;
  if (setup.null_fd < 0) return -setup.null_fd;
  return outcome(dup2(setup.null_fd, STDIN_FILENO));
}

int umask_step(ChildSetup& setup) {
  umask(setup.umask);
  return 0;
}

int groups(ChildSetup& setup) {
  if ((setup.flags & protocol::kSetIds) == 0) return 0;
  return outcome(setgroups(setup.group_count, setup.groups));
}

int group_id(ChildSetup& setup) {
  if ((setup.flags & protocol::kSetIds) == 0) return 0;
  return outcome(setresgid(setup.gid, setup.gid, setup.gid));
}

int user_id(ChildSetup& setup) {
  if ((setup.flags & protocol::kSetIds) == 0) return 0;
  return outcome(setresuid(setup.uid, setup.uid, setup.uid));
}

int parent_death(ChildSetup& setup) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  // The keeper may have died before: then the signal would never come.
  return getppid() == setup.keeper_pid ? 0 : ESRCH;
}

int working_directory(ChildSetup& setup) {
  return setup.directory == nullptr ? 0 : outcome(chdir(setup.directory));
}

/// Puts each descriptor at its number. The keeper's own numbers for them, and for the report pipe,
/// may be among those: whatever is in the way is moved beyond them all first.
int pass_descriptors(ChildSetup& setup) {
  int highest = 0;
  for (size_t i = 0; i < setup.fd_count; ++i)
    highest = setup.numbers[i] > highest ? setup.numbers[i] : highest;
  int moved[protocol::kSpawnDescriptorsMax];
  for (size_t i = 0; i < setup.fd_count; ++i) {
    const int fd = setup.fds[i];
    moved[i] = fd > highest ? fd : fcntl(fd, F_DUPFD_CLOEXEC, highest + 1);
    if (moved[i] < 0) return errno;
  }
  if (setup.report_fd <= highest) {
    const int report = fcntl(setup.report_fd, F_DUPFD_CLOEXEC, highest + 1);
    if (report < 0) return errno;
    setup.report_fd = report;
  }
  for (size_t i = 0; i < setup.fd_count; ++i)
    if (dup2(moved[i], setup.numbers[i]) < 0) return errno;
  return 0;
}

int descriptors(ChildSetup& setup) {
  if (setup.fd_count > 0)
    if (const int error = pass_descriptors(setup); error != 0) return error;
  return outcome(setrlimit(RLIMIT_NOFILE, &setup.descriptor_limit));
}

/// A decimal number that ends its string, as the plan has laid out room for it.
void write_number(char* at, pid_t number) {
  char digits[protocol::kPidDigits];
  size_t count = 0;
  for (; number > 0; number /= 10)
    digits[count++] = static_cast<char>('0' + number % 10);
  while (count > 0)
    *at++ = digits[--count];
  *at = '\0';
}

int tell_pid(ChildSetup& setup) {
  for (char* at : setup.pid_digits)
    if (at != nullptr) write_number(at, getpid());
  return 0;
}

int execute(ChildSetup& setup) {
  execve(setup.program, setup.argv, setup.envp);
  return errno;
}

struct NamedStep {
  Step step;
  int (*take)(ChildSetup&);  // 0 or an errno
};

// The standard output and error are the keeper's own, already in their places.
constexpr NamedStep kSteps[] = {
    {Step::signals, signals},
    {Step::session, session},
    {Step::standard_input, standard_input},
    {Step::umask, umask_step},
    {Step::groups, groups},
    {Step::group_id, group_id},
    {Step::user_id, user_id},
    {Step::parent_death, parent_death},
    {Step::working_directory, working_directory},
    {Step::descriptors, descriptors},
    {Step::plan, tell_pid},
    {Step::execute, execute},
};

}  // namespace

void run_child(ChildSetup& setup) {
  for (const NamedStep& named : kSteps) {
    const int error = named.take(setup);
    if (error == 0) continue;
    const StepFailure failure{named.step, error};
    // Eight bytes into an empty pipe are written whole; without a reader there is nobody to tell.
    [[maybe_unused]] const ssize_t told = write(setup.report_fd, &failure, sizeof failure);
    break;
  }
  _exit(kFailedExitCode);
}

}  // namespace foster::keeper
