#include "daemon/keeper/spawn.hpp"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/check.hpp"
#include "daemon/keeper/child_setup.hpp"
#include "daemon/keeper/commands.hpp"
#include "daemon/keeper/log.hpp"
#include "daemon/keeper/manager_link.hpp"
#include "daemon/keeper/reaper.hpp"

namespace foster::keeper {
namespace {

using protocol::SpawnPlan;
using protocol::Step;

constexpr uint32_t kKnownFlags =
    protocol::kForeground | protocol::kSetIds | protocol::kSetDirectory;
constexpr uint32_t kGroupsMax = 65536;  // NGROUPS_MAX

/// The strings of a plan, one after the other; null once they do not add up.
class Strings {
 public:
  Strings(const char* at, size_t size) : at_(at), end_(at + size) {}
  const char* next() {
    if (at_ == nullptr) return nullptr;
    const void* nul = std::memchr(at_, '\0', static_cast<size_t>(end_ - at_));
    const char* string = nul == nullptr ? nullptr : at_;
    at_ = nul == nullptr ? nullptr : static_cast<const char*>(nul) + 1;
    return string;
  }
  [[nodiscard]] bool at_end() const { return at_ == end_; }

 private:
  const char* at_;
  const char* end_;
};

bool reserve(PointerBuffer& buffer, size_t count) {
  if (count <= buffer.capacity) return true;
  auto* pointers = static_cast<char**>(std::realloc(buffer.pointers, count * sizeof(char*)));
  if (pointers == nullptr) return false;
  buffer.pointers = pointers;
  buffer.capacity = count;
  return true;
}

/// Fills a null-terminated array for execve, which takes char* but does not write through it. The
/// child itself writes its pid through one or two of them, in its own copy.
bool take_array(Strings& strings, uint32_t count, char** array) {
  for (uint32_t i = 0; i < count; ++i) {
    array[i] = const_cast<char*>(strings.next());
    if (array[i] == nullptr) return false;
  }
  array[count] = nullptr;
  return true;
}

bool sizes_add_up(const SpawnPlan& plan, size_t size) {
  if (plan.attempt == 0 || plan.attempt > protocol::kAttemptMax) return false;
  if ((plan.flags & ~kKnownFlags) != 0 || plan.group_count > kGroupsMax) return false;
  // -1 means "leave it as it is" to setresuid(2): the service would run as root.
  if ((plan.flags & protocol::kSetIds) != 0 && (plan.uid == uid_t(-1) || plan.gid == gid_t(-1)))
    return false;
  const size_t rest = size - sizeof plan;
  if (plan.fd_count > protocol::kSpawnDescriptorsMax) return false;
  const size_t numbers = plan.group_count * sizeof(gid_t) + plan.fd_count * sizeof(int32_t);
  return numbers <= rest && plan.string_bytes == rest - numbers && plan.argc >= 1 &&
         plan.argc <= plan.string_bytes && plan.envc <= plan.string_bytes;
}

bool are_places(const int32_t* numbers, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (numbers[i] < 0) return false;
    for (size_t j = 0; j < i; ++j)
      if (numbers[j] == numbers[i]) return false;
  }
  return true;
}

/// Where the child's pid goes in a string of its environment, or null.
char* pid_digits_in(char* variable) {
  if (*variable != 'W' && *variable != 'L') return nullptr;
  for (const char* name : {"WATCHDOG_PID=", "LISTEN_PID="}) {
    const size_t length = std::strlen(name);
    if (std::strncmp(variable, name, length) != 0) continue;
    char* digits = variable + length;
    const bool all = std::strspn(digits, "0") == protocol::kPidDigits;
    return all && digits[protocol::kPidDigits] == '\0' ? digits : nullptr;
  }
  return nullptr;
}

void find_pid_digits(ChildSetup& setup) {
  size_t found = 0;
  for (char** at = setup.envp; *at != nullptr && found < std::size(setup.pid_digits); ++at) {
    char* digits = pid_digits_in(*at);
    if (digits != nullptr) setup.pid_digits[found++] = digits;
  }
}

/// 0, or the errno for Step::plan. `unit` is set as soon as it is known.
int read_plan(const unsigned char* bytes, size_t size, PointerBuffer& buffer, ChildSetup& setup,
              const char*& unit) {
  SpawnPlan plan;
  if (size < sizeof plan) return EINVAL;
  std::memcpy(&plan, bytes, sizeof plan);
  if (!sizes_add_up(plan, size)) return EINVAL;
  setup.flags = plan.flags;
  setup.uid = plan.uid;
  setup.gid = plan.gid;
  setup.umask = plan.umask & 0777;
  setup.group_count = plan.group_count;
  setup.groups = reinterpret_cast<const gid_t*>(bytes + sizeof plan);
  setup.fd_count = plan.fd_count;
  setup.numbers = reinterpret_cast<const int32_t*>(setup.groups + plan.group_count);
  if (!are_places(setup.numbers, plan.fd_count)) return EINVAL;
  const auto* text = reinterpret_cast<const char*>(setup.numbers + plan.fd_count);
  Strings strings(text, plan.string_bytes);
  unit = strings.next();
  if (unit == nullptr || std::strlen(unit) > protocol::kNameMax) return EINVAL;
  setup.program = strings.next();
  if ((plan.flags & protocol::kSetDirectory) != 0) setup.directory = strings.next();
  if (!reserve(buffer, size_t{plan.argc} + plan.envc + 2)) return ENOMEM;
  setup.argv = buffer.pointers;
  setup.envp = buffer.pointers + plan.argc + 1;
  if (!take_array(strings, plan.argc, setup.argv)) return EINVAL;
  if (!take_array(strings, plan.envc, setup.envp)) return EINVAL;
  if (!strings.at_end()) return EINVAL;
  find_pid_digits(setup);
  return 0;
}

void failed_before_fork(Keeper& keeper, ChildEntry& child, Step step, int error) {
  child.spawn_failed = true;
  child.failed_step = static_cast<uint8_t>(step);
  child.error = error;
  keeper.children.enter(child, ChildPhase::over);
  keeper.children.announce(child, kSpawnFailedNews);
}

void close_report(Keeper& keeper, ChildEntry& child) {
  // Children forked meanwhile hold copies until they execute, so that closing ours would not end
  // epoll's interest in it.
  if (child.report_watched) epoll_ctl(keeper.epoll.get(), EPOLL_CTL_DEL, child.report_fd, nullptr);
  child.report_watched = false;
  close(child.report_fd);
  child.report_fd = -1;
}

/// Without a word from its report pipe a child cannot be said to run: it is ended, and its start
/// told as failed once it is reaped.
void cannot_watch(Keeper& keeper, ChildEntry& child, int error) {
  log(Level::error, "cannot watch a start, ending it: %s attempt=%llu", strerrordesc_np(error),
      static_cast<unsigned long long>(child.attempt));
  close_report(keeper, child);
  child.spawn_failed = true;
  child.failed_step = static_cast<uint8_t>(Step::fork);
  child.error = error;
  kill_attempt(keeper, child, SIGKILL, protocol::KillScope::group, false);
}

void watch(Keeper& keeper, ChildEntry& child) {
  epoll_event event{EPOLLIN, {.u64 = child.attempt}};
  if (epoll_ctl(keeper.epoll.get(), EPOLL_CTL_ADD, child.report_fd, &event) != 0)
    return cannot_watch(keeper, child, errno);
  child.report_watched = true;
}

void push_fresh(FreshForks& fresh, uint64_t attempt) {
  fresh.attempts[(fresh.first + fresh.count++) % FreshForks::kMax] = attempt;
}

/// The longest waiting one, or null when it is gone.
ChildEntry* pop_fresh(Keeper& keeper) {
  FreshForks& fresh = keeper.fresh;
  const uint64_t attempt = fresh.attempts[fresh.first];
  fresh.first = (fresh.first + 1) % FreshForks::kMax;
  --fresh.count;
  ChildEntry* child = keeper.children.by_attempt(attempt);
  return child != nullptr && child->report_fd >= 0 ? child : nullptr;
}

void keep_fresh(Keeper& keeper, uint64_t attempt) {
  if (keeper.fresh.count == FreshForks::kMax) {
    ChildEntry* oldest = pop_fresh(keeper);
    if (oldest != nullptr) watch(keeper, *oldest);
  }
  push_fresh(keeper.fresh, attempt);
}

/// Takes reports that are there. Those that are not are asked again after all others, and after a
/// few of them the rest are not likely to be there either.
void drain_fresh(Keeper& keeper) {
  constexpr int kMissesMax = 4;
  uint32_t left = keeper.fresh.count;
  for (int misses = 0; left > 0 && misses < kMissesMax; --left) {
    ChildEntry* child = pop_fresh(keeper);
    if (child == nullptr || take_report(keeper, *child)) continue;
    push_fresh(keeper.fresh, child->attempt);
    ++misses;
  }
}

void fork_child(Keeper& keeper, ChildEntry& child, ChildSetup& setup) {
  int report[2];
  if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0)
    return failed_before_fork(keeper, child, Step::fork, errno);
  setup.report_fd = report[1];
  child.forked_ns = now_ns();
  const pid_t pid = fork();
  if (pid == 0) run_child(setup);
  const int error = errno;
  close(report[1]);
  if (pid < 0) {
    close(report[0]);
    return failed_before_fork(keeper, child, Step::fork, error);
  }
  pid_taken(keeper, pid);
  keeper.children.forked(child, pid);
  child.report_fd = report[0];
  child.foreground = (setup.flags & protocol::kForeground) != 0;
  keep_fresh(keeper, child.attempt);
  drain_fresh(keeper);
}

/// Reads a whole memfd: a mapping would kill the keeper, should somebody truncate the file.
int read_memfd(int memfd, unsigned char*& bytes, size_t& size) {
  struct stat status {};
  if (fstat(memfd, &status) != 0) return errno;
  if (status.st_size <= 0 || status.st_size > protocol::kSpawnBytesMax) return EFBIG;
  size = static_cast<size_t>(status.st_size);
  bytes = static_cast<unsigned char*>(std::malloc(size));
  if (bytes == nullptr) return ENOMEM;
  const ssize_t got = pread(memfd, bytes, size, 0);
  if (got == static_cast<ssize_t>(size)) return 0;
  std::free(bytes);
  return EIO;
}

}  // namespace

PassedFds::PassedFds(ipc::PacketReader& reader, size_t first, size_t count) {
  for (size_t i = first; i < count; ++i) {
    fds_[count_] = reader.take_fd(i).release();
    lost_ = lost_ || fds_[count_] < 0;
    ++count_;
  }
}

PassedFds::~PassedFds() {
  for (size_t i = 0; i < count_; ++i)
    if (fds_[i] >= 0) close(fds_[i]);
}

ChildEntry* enter_attempt(Keeper& keeper, uint64_t attempt) {
  if (attempt == 0 || attempt > protocol::kAttemptMax ||
      keeper.children.by_attempt(attempt) != nullptr) {
    log(Level::error, "an impossible attempt was asked for and is dropped attempt=%llu",
        static_cast<unsigned long long>(attempt));
    return nullptr;
  }
  ChildEntry* child = keeper.children.add(attempt);
  if (child == nullptr) {
    give_up_manager(keeper, "no room for an attempt that the manager asks for", ENOMEM);
    return nullptr;
  }
  if (attempt > keeper.last_attempt) keeper.last_attempt = attempt;
  return child;
}

void spawn(Keeper& keeper, const unsigned char* bytes, size_t size, const PassedFds& passed) {
  uint64_t attempt = 0;
  if (size >= sizeof attempt) std::memcpy(&attempt, bytes, sizeof attempt);
  ChildEntry* child = enter_attempt(keeper, attempt);
  if (child == nullptr) return;
  ChildSetup setup{};
  setup.keeper_pid = keeper.pid;
  setup.null_fd = keeper.null_fd;
  setup.descriptor_limit = keeper.descriptor_limit;
  const char* unit = nullptr;
  const int error = read_plan(bytes, size, keeper.pointers, setup, unit);
  if (unit != nullptr) std::strncpy(child->unit, unit, sizeof child->unit - 1);
  if (size >= sizeof(SpawnPlan))
    std::memcpy(&child->tag, bytes + offsetof(SpawnPlan, tag), sizeof child->tag);
  if (error != 0) return failed_before_fork(keeper, *child, Step::plan, error);
  if (passed.lost()) return failed_before_fork(keeper, *child, Step::descriptors, EMFILE);
  if (passed.count() != setup.fd_count)
    return failed_before_fork(keeper, *child, Step::descriptors, EBADF);
  setup.fds = passed.fds();
  fork_child(keeper, *child, setup);
}

void spawn_from_memfd(Keeper& keeper, uint64_t attempt, UniqueFd memfd, const PassedFds& passed) {
  unsigned char* bytes = nullptr;
  size_t size = 0;
  const int error = memfd ? read_memfd(memfd.get(), bytes, size) : EMFILE;
  memfd.reset();  // before the fork, which copies every descriptor
  if (error == 0) {
    spawn(keeper, bytes, size, passed);
    std::free(bytes);
    return;
  }
  ChildEntry* child = enter_attempt(keeper, attempt);
  if (child != nullptr) failed_before_fork(keeper, *child, Step::plan, error);
}

bool take_report(Keeper& keeper, ChildEntry& child) {
  if (child.report_fd < 0) return true;
  StepFailure failure;
  const ssize_t got = read(child.report_fd, &failure, sizeof failure);
  if (got < 0 && errno == EAGAIN) return false;
  FOSTER_CHECK(got == 0 || got == sizeof failure);
  close_report(keeper, child);
  if (got == 0) {
    child.executed_ns = now_ns();
    keeper.children.enter(child, ChildPhase::running);
    keeper.children.announce(child, kSpawnedNews);
  } else {
    // Told when the child is reaped, so that a failed spawn is over when the manager hears of it.
    child.spawn_failed = true;
    child.failed_step = static_cast<uint8_t>(failure.step);
    child.error = failure.error;
  }
  return true;
}

void watch_fresh(Keeper& keeper) {
  while (keeper.fresh.count > 0) {
    ChildEntry* child = pop_fresh(keeper);
    if (child != nullptr && !take_report(keeper, *child)) watch(keeper, *child);
  }
}

}  // namespace foster::keeper
