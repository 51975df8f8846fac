// What happens in a child between fork and execve: a straight line of named steps, each one nothing
// but async-signal-safe system calls on values that the parent laid out before (signal-safety(7)).
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::keeper {

/// Everything that the child needs, resolved. The pointers reach into the parent's buffers, of
/// which the child has its copy.
struct ChildSetup {
  uint32_t flags;  // protocol::SpawnFlags
  uid_t uid;
  gid_t gid;
  const gid_t* groups;
  size_t group_count;
  mode_t umask;
  const char* program;
  const char* directory;
  char** argv;
  char** envp;
  pid_t keeper_pid;
  int null_fd;  // /dev/null, or a negated errno
  rlimit descriptor_limit;
  char* pid_digits[2];     // where the child's pid goes into strings of envp; null: nowhere
  const int* fds;          // to be passed,
  const int32_t* numbers;  // each at its number
  size_t fd_count;
  int report_fd;  // CLOEXEC: its end of file without a word means that the program executes
};

/// Comes through the report pipe when a step fails.
struct StepFailure {
  protocol::Step step;
  int32_t error;
};

[[noreturn]] void run_child(ChildSetup& setup);

}  // namespace foster::keeper
