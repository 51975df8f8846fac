#include "daemon/manager/path_watch.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "daemon/manager/log.hpp"

namespace foster::manager {
namespace {

constexpr uint32_t kMask = IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF |
                           IN_MOVE_SELF | IN_ONLYDIR;

/// The directory that holds `path`, and the last part of it.
std::pair<std::string, std::string> split(const std::string& path) {
  const size_t slash = path.rfind('/');
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

std::string join(const std::string& folder, const std::string& name) {
  return folder.ends_with('/') ? folder + name : folder + "/" + name;
}

bool is_directory(const std::string& path) {
  struct stat found {};
  return stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

/// "/run//app/./x/" as "/run/app/x": what the parts are compared with. ".." stays.
std::string plain(std::string_view path) {
  std::string made;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    if (part.empty() || part == ".") continue;
    made += '/';
    made += part;
  }
  return made.empty() ? "/" : made;
}

}  // namespace

PathWatch::PathWatch(sd_event* loop, std::string path, bool content, std::function<void()> touched)
    : loop_(loop),
      path_(std::move(path)),
      mask_(content ? kMask | IN_MODIFY : kMask),
      touched_(std::move(touched)) {}

PathWatch::~PathWatch() {
  sd_event_source_disable_unref(source_);
}

Result<std::unique_ptr<PathWatch>> PathWatch::make(sd_event* loop, const std::string& path,
                                                   bool content, std::function<void()> touched) {
  std::unique_ptr<PathWatch> made(new PathWatch(loop, plain(path), content, std::move(touched)));
  if (auto followed = made->follow(); !followed) return std::unexpected(followed.error());
  return made;
}

int PathWatch::watch(const std::string& folder) {
  source_ = sd_event_source_disable_unref(source_);
  return sd_event_add_inotify(loop_, &source_, folder.c_str(), mask_, something_happened, this);
}

/// Watches as near to the file as there is something to watch. What is made between a look and the
/// watch is noticed by looking again once the watch stands.
Result<void> PathWatch::follow() {
  const auto [home, name] = split(path_);
  for (;;) {
    folder_ = home;
    awaited_ = name;
    int r = watch(folder_);
    while ((r == -ENOENT || r == -ENOTDIR) && folder_ != "/") {
      auto [above, part] = split(folder_);
      folder_ = std::move(above);
      awaited_ = std::move(part);
      r = watch(folder_);
    }
    if (r < 0) return system_failure("watch " + folder_, -r);
    if (folder_ == home || !is_directory(join(folder_, awaited_))) return {};
  }
}

int PathWatch::something_happened(sd_event_source*, const inotify_event* event, void* self) {
  auto& watch = *static_cast<PathWatch*>(self);
  const bool at_home = watch.folder_ == split(watch.path_).first;
  const bool lost =
      (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT | IN_Q_OVERFLOW)) !=
      0;
  const bool awaited = event->len > 0 && watch.awaited_ == event->name;
  if (!lost && !awaited) return 0;
  if (lost || !at_home) {
    if (const auto followed = watch.follow(); !followed)
      log(Level::error, "a file cannot be waited for any more",
          {{"path", watch.path_}, {"why", followed.error().message}});
  }
  const bool may_be_there = watch.folder_ == split(watch.path_).first;
  if (!may_be_there || access(watch.path_.c_str(), F_OK) != 0) return 0;
  // Called by a copy: it may destroy the watch, and itself with it.
  const auto touched = watch.touched_;
  touched();
  return 0;
}

}  // namespace foster::manager
