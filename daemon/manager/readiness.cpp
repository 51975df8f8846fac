#include "daemon/manager/readiness.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <string_view>
#include <utility>

#include "daemon/manager/log.hpp"
#include "daemon/manager/process_tree.hpp"

namespace foster::manager {
namespace {

constexpr std::string_view kKeptPrefix = "ready:";
constexpr size_t kPeekMax = 4096;

std::string kept_name(Attempt attempt) {
  return std::string(kKeptPrefix) + std::to_string(attempt.value);
}

Attempt attempt_of(std::string_view name) {
  name.remove_prefix(kKeptPrefix.size());
  Attempt attempt;
  std::from_chars(name.data(), name.data() + name.size(), attempt.value);
  return attempt;
}

ReadyKind kind_of(const UnitSpec& spec) {
  return spec.ready ? spec.ready->kind : ReadyKind::none;
}

/// Files are stamped with the time of the last tick, which may be that much before the clock's.
int64_t stamp_lag_ns() {
  timespec tick{};
  clock_getres(CLOCK_REALTIME_COARSE, &tick);
  return tick.tv_nsec;
}

/// Now for one that is not known yet: only what comes counts then.
Instant start_of(int32_t pid) {
  const auto facts = pid > 0 ? process_facts(pid) : std::nullopt;
  return facts ? facts->started : now_since_boot();
}

/// Whether the file has been made or touched since then. For a manager that was not there to see
/// it.
bool touched_since(const std::string& path, Instant since) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return false;
  const int64_t age_of_start_ns = now_since_boot().ns - since.ns;
  const int64_t start_real_ns = wall_clock_ns() - age_of_start_ns - stamp_lag_ns();
  const int64_t changed_ns = found.st_ctim.tv_sec * int64_t{1'000'000'000} + found.st_ctim.tv_nsec;
  return changed_ns >= start_real_ns;
}

}  // namespace

struct Readiness::Watch {
  ~Watch() { sd_event_source_disable_unref(source); }

  Readiness* owner = nullptr;
  UnitIndex unit;
  Attempt attempt;  // of the main process
  Attempt kept_as;  // whose number the keeper has the pipe under
  UniqueFd pipe;
  sd_event_source* source = nullptr;
  std::unique_ptr<PathWatch> file;
  bool done = false;
};

Readiness::Readiness(KeeperClient& keeper, const core::Supervisor& core,
                     std::function<void(core::Event)> queue)
    : keeper_(keeper), core_(core), queue_(std::move(queue)) {}

Readiness::~Readiness() = default;

void Readiness::attach(sd_event* loop, std::vector<HandedDescriptor>& kept) {
  loop_ = loop;
  for (HandedDescriptor& held : kept)
    if (held.name.starts_with(kKeptPrefix))
      kept_.insert_or_assign(attempt_of(held.name).value, std::move(held.fd));
}

Result<void> Readiness::resume(UnitIndex unit, const core::UnitRecord& record) {
  const bool starts = record.state == core::UnitState::starting && !record.ready;
  if (starts && record.attempt.value != 0) return resume(unit, record.attempt, record.started);
  const core::SideRun& successor = record.successor;
  const bool awaited = record.state == core::UnitState::running && successor.attempt.value != 0 &&
                       !successor.ready && !successor.killed;
  if (!awaited) return {};
  return resume(unit, successor.attempt, start_of(successor.pid));
}

Result<void> Readiness::resume(UnitIndex unit, Attempt attempt, Instant started) {
  switch (kind_of(core_.set()[unit])) {
    case ReadyKind::descriptor:
    case ReadyKind::output:
      break;
    case ReadyKind::file: {
      Watch& watch = add(unit, attempt);
      auto watched = watch_file(watch);
      if (watched && touched_since(watch.file->path(), started)) seen(watch);
      return watched;
    }
    case ReadyKind::none:
    case ReadyKind::notify:
    case ReadyKind::tcp:
    case ReadyKind::unix_socket:
    case ReadyKind::http:
    case ReadyKind::command:
      return {};
  }
  auto pipe = kept_.find(attempt.value);
  if (pipe == kept_.end()) return {};
  UniqueFd fd = std::move(pipe->second);
  kept_.erase(pipe);
  return watch_pipe(add(unit, attempt), std::move(fd));
}

void Readiness::takeover_ended() {
  for (const auto& [attempt, fd] : kept_)
    keeper_.drop(kept_name({attempt}));
  kept_.clear();
}

Result<UniqueFd> Readiness::begin(UnitIndex unit, Attempt attempt) {
  switch (kind_of(core_.set()[unit])) {
    case ReadyKind::descriptor:
    case ReadyKind::output: {
      int ends[2] = {-1, -1};
      if (pipe2(ends, O_CLOEXEC) != 0) return system_failure("make the pipe of [ready]", errno);
      UniqueFd read_end(ends[0]);
      UniqueFd write_end(ends[1]);
      keeper_.store(kept_name(attempt), read_end.get());
      if (auto watched = watch_pipe(add(unit, attempt), std::move(read_end)); !watched)
        return std::unexpected(watched.error());
      return write_end;
    }
    case ReadyKind::file:
      if (auto watched = watch_file(add(unit, attempt)); !watched)
        return std::unexpected(watched.error());
      return UniqueFd();
    case ReadyKind::none:
    case ReadyKind::notify:
    case ReadyKind::tcp:
    case ReadyKind::unix_socket:
    case ReadyKind::http:
    case ReadyKind::command:
      break;
  }
  return UniqueFd();
}

Readiness::Watch& Readiness::add(UnitIndex unit, Attempt attempt) {
  auto made = std::make_unique<Watch>();
  made->owner = this;
  made->unit = unit;
  made->attempt = attempt;
  return *watches_.insert_or_assign(attempt.value, std::move(made)).first->second;
}

Result<void> Readiness::watch_pipe(Watch& watch, UniqueFd fd) {
  // Non-blocking at our end alone: the descriptions of a pipe's ends are two.
  if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0)
    return system_failure("prepare the pipe of [ready]", errno);
  watch.kept_as = watch.attempt;
  watch.pipe = std::move(fd);
  const int r =
      sd_event_add_io(loop_, &watch.source, watch.pipe.get(), EPOLLIN, pipe_spoke, &watch);
  if (r < 0) return system_failure("watch the pipe of [ready]", -r);
  return {};
}

Result<void> Readiness::watch_file(Watch& watch) {
  auto made = PathWatch::make(loop_, core_.set()[watch.unit].ready->target, false,
                              [this, &watch] { seen(watch); });
  if (!made) return context("wait for the file of [ready]", made.error());
  watch.file = std::move(*made);
  return {};
}

int Readiness::pipe_spoke(sd_event_source*, int fd, uint32_t events, void* self) {
  auto& watch = *static_cast<Watch*>(self);
  if (watch.owner->newline_waits(fd)) {
    watch.owner->seen(watch);
  } else if ((events & EPOLLIN) == 0) {
    // Closed without a newline: nothing can come any more, and the start timeout decides.
    watch.source = sd_event_source_disable_unref(watch.source);
  }
  return 0;
}

/// Looks at what waits in the pipe and leaves it there if there is a newline in it (tee(2)); takes
/// what comes before one.
bool Readiness::newline_waits(int fd) {
  if (!scratch_read_) {
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) {
      log(Level::error, "cannot make a pipe", {{"error", strerrordesc_np(errno)}});
      return false;
    }
    scratch_read_.reset(ends[0]);
    scratch_write_.reset(ends[1]);
  }
  for (;;) {
    const ssize_t waiting = tee(fd, scratch_write_.get(), kPeekMax, SPLICE_F_NONBLOCK);
    if (waiting <= 0) return false;
    char bytes[kPeekMax];
    const ssize_t length = read(scratch_read_.get(), bytes, sizeof bytes);
    if (length <= 0) return false;
    const std::string_view text(bytes, static_cast<size_t>(length));
    if (text.find('\n') != std::string_view::npos) return true;
    if (read(fd, bytes, static_cast<size_t>(length)) <= 0) return false;
  }
}

void Readiness::seen(Watch& watch) {
  if (watch.done) return;
  watch.done = true;
  done_.push_back(watch.attempt);
  queue_(core::ReadySeen{watch.unit, watch.attempt});
}

void Readiness::moved(Attempt from, Attempt to) {
  auto node = watches_.extract(from.value);
  if (node.empty()) return;
  node.key() = to.value;
  Watch& watch = *node.mapped();
  watch.attempt = to;
  std::ranges::replace(done_, from, to);
  if (watch.pipe) {
    keeper_.store(kept_name(to), watch.pipe.get());
    keeper_.drop(kept_name(watch.kept_as));
    watch.kept_as = to;
  }
  watches_.insert(std::move(node));
}

void Readiness::forget(Attempt attempt) {
  const auto found = watches_.find(attempt.value);
  if (found == watches_.end()) return;
  if (found->second->pipe) keeper_.drop(kept_name(found->second->kept_as));
  watches_.erase(found);
}

void Readiness::turn_ended() {
  for (const Attempt attempt : std::exchange(done_, {}))
    forget(attempt);
}

}  // namespace foster::manager
