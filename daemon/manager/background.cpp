#include "daemon/manager/background.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "common/check.hpp"
#include "common/ipc/close_others.hpp"

namespace foster::manager {
namespace {

// The exit code is the error's errno, so that whoever asked can tell errors apart.
constexpr int kDone = 0;
constexpr int kFailed = 255;  // there is none

Result<void> write_all(int fd, const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    const ssize_t taken = write(fd, text.data() + done, text.size() - done);
    if (taken < 0) return system_failure("write to a memfd", errno);
    done += static_cast<size_t>(taken);
  }
  return {};
}

Result<UniqueFd> new_memfd(const char* name) {
  UniqueFd memory(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!memory) return system_failure("make a memfd", errno);
  return memory;
}

Result<void> seal(int memfd) {
  if (fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0)
    return system_failure("seal a memfd", errno);
  return {};
}

[[noreturn]] void do_work(const Background::Work& work, int needs, int text, pid_t manager) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != manager) _exit(kFailed);
  // The keeper is to see the end of its manager, and everyone that a port is free or a connection
  // closed, even while this goes on.
  const int kept[] = {needs, text};
  close_others(kept);
  const Result<std::string> done = work();
  const Result<void> written = write_all(text, done ? *done : done.error().message);
  if (done && written) _exit(kDone);
  const int error = done ? 0 : done.error().system_error;
  _exit(error > 0 && error < kFailed ? error : kFailed);
}

}  // namespace

Result<std::string> text_of(int memfd) {
  struct stat found {};
  if (fstat(memfd, &found) != 0) return system_failure("inspect a memfd", errno);
  std::string text(static_cast<size_t>(found.st_size), '\0');
  const ssize_t taken = pread(memfd, text.data(), text.size(), 0);
  if (taken != found.st_size) return system_failure("read a memfd", taken < 0 ? errno : EIO);
  return text;
}

Result<UniqueFd> memfd_with(const char* name, const std::string& text) {
  auto memory = new_memfd(name);
  if (!memory) return memory;
  if (auto written = write_all(memory->get(), text); !written)
    return std::unexpected(written.error());
  if (auto sealed = seal(memory->get()); !sealed) return std::unexpected(sealed.error());
  return memory;
}

Background::~Background() {
  sd_event_source_disable_unref(source_);
  // Not waited for: it may hang in the disk. The keeper reaps it.
  if (child_ > 0) kill(child_, SIGKILL);
}

void Background::run(Work work, Done done, const UniqueFd* needs) {
  pieces_.push_back({std::move(work), std::move(done), needs});
  if (pieces_.size() == 1) begin_next();
}

void Background::begin_next() {
  if (pieces_.empty()) return;
  const auto begun = begin(pieces_.front());
  if (begun) return;
  // Told from the loop like every other end, so that whoever asked is not told while asking.
  failure_ = begun.error();
  child_ = 0;
  source_ = sd_event_source_disable_unref(source_);
  FOSTER_CHECK(sd_event_add_defer(loop_, &source_, child_did_not_begin, this) >= 0);
}

Result<void> Background::begin(const Piece& piece) {
  auto memory = new_memfd("foster-work");
  if (!memory) return std::unexpected(memory.error());
  text_ = std::move(*memory);
  const pid_t manager = getpid();
  const pid_t child = fork();
  if (child < 0) return system_failure("fork", errno);
  const int needs = piece.needs != nullptr ? piece.needs->get() : -1;
  if (child == 0) do_work(piece.work, needs, text_.get(), manager);
  child_ = child;
  end_ = UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
  const int r =
      end_ ? sd_event_add_io(loop_, &source_, end_.get(), EPOLLIN, child_ended, this) : -errno;
  if (r >= 0) return {};
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return system_failure("watch a process", -r);
}

int Background::child_ended(sd_event_source*, int, uint32_t, void* self) {
  auto& background = *static_cast<Background*>(self);
  int status = 0;
  // It has ended, so this returns at once.
  if (waitpid(background.child_, &status, 0) != background.child_) status = -1;
  background.child_ = 0;
  if (WIFEXITED(status) && WEXITSTATUS(status) == kDone) {
    if (auto sealed = seal(background.text_.get()); !sealed)
      background.finish(std::unexpected(sealed.error()));
    else
      background.finish(std::move(background.text_));
    return 0;
  }
  auto why = text_of(background.text_.get());
  if (!why || why->empty() || !WIFEXITED(status)) {
    background.finish(failure("do it", "the process that was to do it has died"));
    return 0;
  }
  const int code = WEXITSTATUS(status);
  background.finish(std::unexpected(Error{std::move(*why), code == kFailed ? 0 : code}));
  return 0;
}

int Background::child_did_not_begin(sd_event_source*, void* self) {
  auto& background = *static_cast<Background*>(self);
  background.finish(std::unexpected(std::exchange(background.failure_, {})));
  return 0;
}

void Background::finish(Result<UniqueFd> outcome) {
  source_ = sd_event_source_disable_unref(source_);
  end_ = UniqueFd();
  const Done done = std::move(pieces_.front().done);
  pieces_.pop_front();
  done(std::move(outcome));
  // Unless `done` has asked for more, which began at once then.
  if (child_ == 0 && source_ == nullptr) begin_next();
}

}  // namespace foster::manager
