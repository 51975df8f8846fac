#include "ctl/child_output.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/ipc/unique_fd.hpp"
#include "ctl/daemon_watch.hpp"

namespace foster::ctl {
namespace {

struct Pipe {
  UniqueFd read_end;
  UniqueFd write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_failure("make a pipe", errno);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Result<pid_t> spawn(const std::vector<std::string>& words, int out, int err) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (const std::string& word : words)
    argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  // We ignore SIGPIPE, which a program that is executed would inherit.
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return system_failure("execute " + words[0], error);
  return pid;
}

/// Takes what is there. False at the end of the pipe.
bool take(int pipe, std::string& into) {
  char content[4096];
  const ssize_t length = read(pipe, content, sizeof content);
  if (length > 0) into.append(content, static_cast<size_t>(length));
  return length > 0 || (length < 0 && errno == EINTR);
}

/// Reads both to their ends. False when the time ran out before.
bool take_all(UniqueFd& out, UniqueFd& err, ChildOutput& output, Instant until) {
  while (out || err) {
    pollfd waited[] = {{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}};
    const int ready = poll(waited, 2, poll_timeout(until));
    if (ready == 0) return false;
    if (ready < 0) continue;
    if (waited[0].revents != 0 && !take(out.get(), output.out)) out.reset();
    if (waited[1].revents != 0 && !take(err.get(), output.err)) err.reset();
  }
  return true;
}

}  // namespace

Result<ChildOutput> run_program(const std::vector<std::string>& words, Instant until) {
  Result<Pipe> out = make_pipe();
  if (!out) return std::unexpected(out.error());
  Result<Pipe> err = make_pipe();
  if (!err) return std::unexpected(err.error());
  const Result<pid_t> pid = spawn(words, out->write_end.get(), err->write_end.get());
  if (!pid) return std::unexpected(pid.error());
  out->write_end.reset();
  err->write_end.reset();
  ChildOutput output;
  output.timed_out = !take_all(out->read_end, err->read_end, output, until);
  if (output.timed_out) kill(*pid, SIGKILL);
  int status = 0;
  while (waitpid(*pid, &status, 0) < 0 && errno == EINTR) {
  }
  output.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return output;
}

}  // namespace foster::ctl
