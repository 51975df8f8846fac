// Waits for a file to be made or touched, asleep (inotify(7)): on its directory, or, where that is
// not there yet, on the nearest ancestor that is. One inotify descriptor serves all of them
// (sd_event_add_inotify(3)).
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <systemd/sd-event.h>

#include "common/result.hpp"

namespace foster::manager {

class PathWatch {
 public:
  /// `touched` is called when the file is made, moved to its place, closed after writing, or given
  /// other attributes (touch(1)), and when its directory has come about with the file in it
  /// already. It may be called once too often, and may destroy the watch. With `content` also while
  /// the file is being written.
  static Result<std::unique_ptr<PathWatch>> make(sd_event* loop, const std::string& path,
                                                 bool content, std::function<void()> touched);
  ~PathWatch();
  PathWatch(const PathWatch&) = delete;
  PathWatch& operator=(const PathWatch&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  PathWatch(sd_event* loop, std::string path, bool content, std::function<void()> touched);
  static int something_happened(sd_event_source* source, const struct inotify_event* event,
                                void* self);
  Result<void> follow();
  [[nodiscard]] int watch(const std::string& folder);

  sd_event* loop_;
  std::string path_;
  uint32_t mask_;
  std::function<void()> touched_;
  sd_event_source* source_ = nullptr;
  std::string folder_;   // that is watched
  std::string awaited_;  // the name within it that leads to the file
};

}  // namespace foster::manager
