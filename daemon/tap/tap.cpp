#include "daemon/tap/tap.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <span>
#include <utility>

#include "common/ipc/close_others.hpp"

namespace foster::tap {
namespace {

constexpr int kCannotExecute = 126;
constexpr int kNotFound = 127;
constexpr size_t kLineMax = 64 * 1024;  // of a longer line, so much is matched

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

bool make_pipe(Pipe& pipe) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return false;
  pipe.read.reset(ends[0]);
  pipe.write.reset(ends[1]);
  return true;
}

int complain(const char* what, const char* about, int error, int code) {
  dprintf(STDERR_FILENO, "foster-tap: cannot %s%s: %s\n", what, about, strerror(error));
  return code;
}

void write_all(int to, const char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t written = write(to, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return;  // Nobody reads the daemon's output any more; the service goes on.
    bytes += written;
    count -= static_cast<size_t>(written);
  }
}

/// In the process that stays: everything that is not its own is let go, above all the service's
/// sockets and connections, which end when the service closes them.
void settle_down(const Options& options, std::span<const int> own) {
  sigset_t all;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, nullptr);
  for (char** variable = environ; *variable != nullptr; ++variable)
    std::memset(*variable, 0, strlen(*variable));
  close_others(own);
  if (chdir("/") != 0) return;
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  if (options.ready_fd >= 0) fcntl(options.ready_fd, F_SETFD, FD_CLOEXEC);
}

/// Forks twice, so that the reader is no child of the service's. False in the service, to which it
/// returns once the reader is as it is to be.
bool is_reader(const Options& options, std::span<const int> own, int& error) {
  const pid_t between = fork();
  if (between < 0) error = errno;
  if (between != 0) {
    while (between > 0 && waitpid(between, nullptr, 0) < 0 && errno == EINTR) {
    }
    return false;
  }
  settle_down(options, own);
  const pid_t reader = fork();
  if (reader != 0) _exit(0);
  return true;
}

}  // namespace

LineMatcher::LineMatcher(const std::string& expression, UniqueFd ready) : ready_(std::move(ready)) {
  compiled_ = ready_ && !expression.empty() &&
              regcomp(&expression_, expression.c_str(), REG_EXTENDED | REG_NOSUB) == 0;
}

LineMatcher::~LineMatcher() {
  if (compiled_) regfree(&expression_);
}

void LineMatcher::take(const char* bytes, size_t count) {
  if (!compiled_ || !ready_) return;
  const char* const end = bytes + count;
  while (bytes != end && ready_) {
    const char* const newline = std::find(bytes, end, '\n');
    const size_t room = kLineMax - std::min(kLineMax, line_.size());
    line_.append(bytes, std::min(room, static_cast<size_t>(newline - bytes)));
    if (newline == end) return;
    line_ended();
    bytes = newline + 1;
  }
}

void LineMatcher::line_ended() {
  if (regexec(&expression_, line_.c_str(), 0, nullptr, 0) == 0) {
    write_all(ready_.get(), "\n", 1);
    ready_.reset();
  }
  line_.clear();
}

Reader::Reader(UniqueFd out, UniqueFd error, UniqueFd main, const Options& options)
    : out_(std::move(out)),
      error_(std::move(error)),
      main_(std::move(main)),
      out_matcher_(
          options.match,
          UniqueFd(options.ready_fd < 0 ? -1 : fcntl(options.ready_fd, F_DUPFD_CLOEXEC, 3))),
      error_matcher_(
          options.match,
          UniqueFd(options.ready_fd < 0 ? -1 : fcntl(options.ready_fd, F_DUPFD_CLOEXEC, 3))) {
  if (options.ready_fd >= 0) close(options.ready_fd);
  if (options.tail_fd < 0) return;
  void* const mapped =
      mmap(nullptr, sizeof *tail_, PROT_READ | PROT_WRITE, MAP_SHARED, options.tail_fd, 0);
  close(options.tail_fd);
  if (mapped == MAP_FAILED) return;
  tail_ = static_cast<foster_output_tail*>(mapped);
  tail_->written = 0;
  tail_->magic = FOSTER_TAIL_MAGIC;
}

void Reader::run() {
  while (out_ || error_) {
    pollfd waiting[3] = {
        {out_.get(), POLLIN, 0}, {error_.get(), POLLIN, 0}, {main_.get(), POLLIN, 0}};
    if (poll(waiting, 3, -1) < 0 && errno != EINTR) return;
    if (waiting[0].revents != 0 && !pass_on(out_, STDOUT_FILENO, out_matcher_)) out_.reset();
    if (waiting[1].revents != 0 && !pass_on(error_, STDERR_FILENO, error_matcher_)) error_.reset();
    if (waiting[2].revents != 0) main_ended();
  }
}

/// What it wrote is in the pipes now. Whoever else holds them is no reason to wait.
void Reader::main_ended() {
  main_.reset();
  drain(out_, STDOUT_FILENO, out_matcher_);
  drain(error_, STDERR_FILENO, error_matcher_);
  if (!out_ && !error_) return;
  Pipe gone;
  if (!make_pipe(gone)) return;
  if (fork() != 0) {
    // The group is to be empty when our end is seen, so the one that goes on leaves it first.
    gone.write.reset();
    char none;
    while (read(gone.read.get(), &none, 1) < 0 && errno == EINTR) {
    }
    _exit(0);
  }
  setsid();
}

void Reader::drain(UniqueFd& from, int to, LineMatcher& matcher) {
  if (!from) return;
  const int flags = fcntl(from.get(), F_GETFL);
  fcntl(from.get(), F_SETFL, flags | O_NONBLOCK);
  errno = 0;
  while (pass_on(from, to, matcher)) {
  }
  if (errno != EAGAIN) return from.reset();
  fcntl(from.get(), F_SETFL, flags);
}

bool Reader::pass_on(UniqueFd& from, int to, LineMatcher& matcher) {
  char bytes[16 * 1024];
  const ssize_t taken = read(from.get(), bytes, sizeof bytes);
  if (taken <= 0) {
    if (taken == 0) errno = 0;
    return taken < 0 && errno == EINTR;
  }
  const auto count = static_cast<size_t>(taken);
  // First what others wait for: the daemon's output may be slow.
  keep(bytes, count);
  matcher.take(bytes, count);
  write_all(to, bytes, count);
  return true;
}

void Reader::keep(const char* bytes, size_t count) {
  if (tail_ == nullptr) return;
  while (count > 0) {
    const size_t place = tail_->written % FOSTER_TAIL_BYTES;
    const size_t part = std::min<size_t>(count, FOSTER_TAIL_BYTES - place);
    std::memcpy(tail_->bytes + place, bytes, part);
    tail_->written += part;
    bytes += part;
    count -= part;
  }
}

int become_service(const Options& options) {
  Pipe out;
  Pipe error;
  if (!make_pipe(out) || !make_pipe(error))
    return complain("make a pipe", "", errno, kCannotExecute);
  int fork_error = 0;
  UniqueFd self(static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0)));
  if (!self) return complain("watch myself", "", errno, kCannotExecute);
  const int readers_own[] = {out.read.get(), error.read.get(), self.get(), options.ready_fd,
                             options.tail_fd};
  if (is_reader(options, readers_own, fork_error)) {
    static_cast<void>(out.write.release());  // Closed with all others.
    static_cast<void>(error.write.release());
    Reader(std::move(out.read), std::move(error.read), std::move(self), options).run();
    _exit(0);
  }
  if (fork_error != 0) return complain("fork", "", fork_error, kCannotExecute);
  const UniqueFd complaints(fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  for (const int fd : {options.ready_fd, options.tail_fd})
    if (fd >= 0) close(fd);
  dup2(out.write.get(), STDOUT_FILENO);
  dup2(error.write.get(), STDERR_FILENO);
  execv(options.program.c_str(), options.arguments);
  const int why = errno;
  dup2(complaints.get(), STDERR_FILENO);
  return complain("execute ", options.program.c_str(), why,
                  why == ENOENT ? kNotFound : kCannotExecute);
}

}  // namespace foster::tap
