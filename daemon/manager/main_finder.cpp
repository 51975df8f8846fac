#include "daemon/manager/main_finder.hpp"

#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include "common/unit_source/regular_file.hpp"
#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

constexpr size_t kPidFileMax = 4096;
constexpr int kDepthMax = 16;

/// Reads a service's output beside it, and has its environment.
constexpr char kTap[] = "foster-tap";

/// The start time of a process is known to the clock tick alone.
constexpr Duration kTick = std::chrono::milliseconds(20);

/// The first line of a pid file; 0: it holds no number (yet).
int32_t read_pid(const std::string& path) {
  const auto text = read_regular_file(path, kPidFileMax);
  if (!text) return 0;
  const size_t start = text->find_first_not_of(" \t\r\n");
  if (start == std::string::npos) return 0;
  int32_t pid = 0;
  const char* const end_of_text = text->data() + text->size();
  const auto [end, error] = std::from_chars(text->data() + start, end_of_text, pid);
  const bool whole = end == end_of_text || strchr(" \t\r\n", *end) != nullptr;
  return error == std::errc{} && whole && pid > 1 ? pid : 0;
}

}  // namespace

struct MainFinder::Search {
  ~Search() { sd_event_source_disable_unref(parent_source); }

  MainFinder* owner = nullptr;
  core::FindMain asked;
  std::unique_ptr<PathWatch> file;
  UniqueFd parent;
  sd_event_source* parent_source = nullptr;
  int32_t refused = 0;  // the number that has been complained of
  bool over = false;
};

MainFinder::MainFinder(const core::Supervisor& core, Surroundings surroundings)
    : core_(core), around_(std::move(surroundings)) {}

MainFinder::~MainFinder() = default;

void MainFinder::find(const core::FindMain& asked) {
  if (core_.set()[asked.unit].pid_file.empty()) return guess(asked);
  if (auto waiting = wait_for_file(asked); !waiting) not_found(asked, waiting.error().message);
}

void MainFinder::spawned(Attempt attempt, int32_t pid) {
  commands_[attempt.value] = pid;
  sessions_[pid] = attempt.value;
}

void MainFinder::forget(Attempt attempt) {
  searches_.erase(attempt.value);
  const auto command = commands_.find(attempt.value);
  if (command == commands_.end()) return;
  const auto session = sessions_.find(command->second);
  if (session != sessions_.end() && session->second == attempt.value) sessions_.erase(session);
  commands_.erase(command);
}

Result<void> MainFinder::wait_for_file(const core::FindMain& asked) {
  auto made = std::make_unique<Search>();
  Search& search = *made;
  search.owner = this;
  search.asked = asked;
  auto watch = PathWatch::make(loop_, core_.set()[asked.unit].pid_file, true,
                               [this, &search] { read_file(search); });
  if (!watch) return context("wait for the pid file", watch.error());
  search.file = std::move(*watch);
  searches_.insert_or_assign(asked.attempt.value, std::move(made));
  read_file(search);
  return {};
}

void MainFinder::read_file(Search& search) {
  if (search.over) return;
  const int32_t pid = read_pid(search.file->path());
  if (pid != 0) consider(search, pid);
}

/// The number of a process that is gone, or of another unit, was left from before: the daemon's own
/// is still to come, and the start timeout ends the wait for it.
void MainFinder::consider(Search& search, int32_t pid) {
  const auto process = process_facts(pid);
  const bool alive = process && process->alive();
  if (alive && kin(search.asked, *process) != Kin::none) {
    if (process->parent != around_.keeper) return wait_for_parent(search, process->parent);
    search.over = true;
    return found(search.asked, pid);
  }
  if (std::exchange(search.refused, pid) == pid) return;
  log(alive ? Level::warning : Level::info,
      "the pid file names no process of the unit; it is read again when it changes",
      {{"unit", core_.set()[search.asked.unit].name}, {"file", search.file->path()}, {"pid", pid}});
}

void MainFinder::wait_for_parent(Search& search, int32_t parent) {
  search.parent_source = sd_event_source_disable_unref(search.parent_source);
  search.parent.reset(static_cast<int>(syscall(SYS_pidfd_open, parent, 0)));
  // It has ended just now, which is what was to be waited for.
  if (!search.parent && errno == ESRCH) return read_file(search);
  int r = search.parent ? 0 : -errno;
  if (r == 0)
    r = sd_event_add_io(loop_, &search.parent_source, search.parent.get(), EPOLLIN, parent_ended,
                        &search);
  if (r >= 0) return;
  search.over = true;
  not_found(search.asked,
            "cannot wait for the end of process " + std::to_string(parent) +
                ", the parent of the one that the pid file names: " + strerrordesc_np(-r));
}

int MainFinder::parent_ended(sd_event_source*, int, uint32_t, void* self) {
  auto& search = *static_cast<Search*>(self);
  search.parent_source = sd_event_source_disable_unref(search.parent_source);
  search.owner->read_file(search);
  return 0;
}

/// Where the environment tells nothing: by the session, by descent, and by age.
MainFinder::Kin MainFinder::kin_by_descent(const core::FindMain& asked,
                                           const ProcessFacts& process) const {
  const auto session = sessions_.find(process.session);
  if (session != sessions_.end())
    return session->second == asked.attempt.value ? Kin::certain : Kin::none;
  const std::vector<int32_t> known = around_.known_pids();
  const bool may_be = process.started + kTick >= core_.record(asked.unit).started &&
                      !std::ranges::binary_search(known, process.pid) &&
                      !std::ranges::binary_search(known, process.session);
  return may_be ? Kin::likely : Kin::none;
}

/// By the number of the attempt in its environment. A program may have written over that, to show a
/// title, and one that is just being executed has none.
MainFinder::Kin MainFinder::kin(const core::FindMain& asked, ProcessFacts process) const {
  for (int depth = 0; depth < kDepthMax; ++depth) {
    const InitialEnvironment environment(process.pid);
    if (const auto attempt = environment.value("FOSTER_ATTEMPT")) {
      const bool same = *attempt == std::to_string(asked.attempt.value) &&
                        environment.value("FOSTER_INSTANCE") == around_.instance;
      return same ? Kin::certain : Kin::none;
    }
    if (process.parent == around_.keeper) return kin_by_descent(asked, process);
    auto next = process_facts(process.parent);
    // The parent has ended since, and the process has another one.
    if (!next) next = process_facts(process.pid);
    if (!next) return Kin::none;
    process = *next;
  }
  return Kin::none;
}

bool MainFinder::is_kin(UnitIndex unit, Attempt attempt, const ProcessFacts& process) const {
  return process.name != kTap && kin({unit, attempt}, process) == Kin::certain &&
         !std::ranges::binary_search(around_.known_pids(), process.pid);
}

void MainFinder::guess(const core::FindMain& asked) {
  std::vector<int32_t> certain;
  std::vector<int32_t> others;
  for (const int32_t pid : children_of(around_.keeper)) {
    const auto process = process_facts(pid);
    if (!process || !process->alive() || process->name == kTap) continue;
    const Kin found = kin(asked, *process);
    if (found == Kin::none) continue;
    (found == Kin::certain ? certain : others).push_back(pid);
  }
  std::vector<int32_t> left = certain.empty() ? std::move(others) : std::move(certain);
  if (left.empty()) return not_found(asked, "its command has left no process behind");
  if (left.size() > 1) {
    std::vector<int32_t> parents = left;
    std::erase_if(parents, [](int32_t pid) { return children_of(pid).empty(); });
    if (parents.size() == 1) left = std::move(parents);
  }
  if (left.size() == 1) return found(asked, left.front());
  not_found(asked, "its command has left " + std::to_string(left.size()) +
                       " processes behind; pid-file can tell which is the main one");
}

void MainFinder::found(const core::FindMain& asked, int32_t pid) {
  around_.queue(core::MainFound{asked.unit, asked.attempt, pid});
}

void MainFinder::not_found(const core::FindMain& asked, std::string message) {
  around_.queue(core::MainNotFound{asked.unit, asked.attempt, std::move(message)});
}

}  // namespace foster::manager
