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

int signals(const ChildSetup&) {
  reset_signals_for_child();
  return 0;
}

int session(const ChildSetup& setup) {
  if ((setup.flags & protocol::kForeground) == 0) return outcome(setsid());
  if (setpgid(0, 0) != 0) return errno;
  return take_terminal(getpid());
}

int standard_input(const ChildSetup& setup) {
  if ((setup.flags & protocol::kForeground) != 0) return 0;
  if (setup.null_fd < 0) return -setup.null_fd;
  return outcome(dup2(setup.null_fd, STDIN_FILENO));
}

int umask_step(const ChildSetup& setup) {
  umask(setup.umask);
  return 0;
}

int groups(const ChildSetup& setup) {
  if ((setup.flags & protocol::kSetIds) == 0) return 0;
  return outcome(setgroups(setup.group_count, setup.groups));
}

int group_id(const ChildSetup& setup) {
  if ((setup.flags & protocol::kSetIds) == 0) return 0;
  return outcome(setresgid(setup.gid, setup.gid, setup.gid));
}

int user_id(const ChildSetup& setup) {
  if ((setup.flags & protocol::kSetIds) == 0) return 0;
  return outcome(setresuid(setup.uid, setup.uid, setup.uid));
}

int parent_death(const ChildSetup& setup) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  // The keeper may have died before: then the signal would never come.
  return getppid() == setup.keeper_pid ? 0 : ESRCH;
}

int working_directory(const ChildSetup& setup) {
  return setup.directory == nullptr ? 0 : outcome(chdir(setup.directory));
}

int descriptors(const ChildSetup& setup) {
  return outcome(setrlimit(RLIMIT_NOFILE, &setup.descriptor_limit));
}

int execute(const ChildSetup& setup) {
  execve(setup.program, setup.argv, setup.envp);
  return errno;
}

struct NamedStep {
  Step step;
  int (*take)(const ChildSetup&);  // 0 or an errno
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
    {Step::execute, execute},
};

}  // namespace

void run_child(const ChildSetup& setup) {
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
