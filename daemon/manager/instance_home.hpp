// The instance's runtime directory, with its lock and its control socket. The lock is an flock(2)
// on an open file that the keeper holds for as long as it lives, so that it outlasts every manager;
// its content is the keeper's pid, for the message that a second daemon gives.
#pragma once

#include <optional>
#include <string>

#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"

namespace foster::manager {

inline constexpr char kLockFile[] = "lock";

class InstanceHome {
 public:
  /// Makes (or finds) the directory: the one asked for, or the first candidate that can be made.
  static Result<InstanceHome> open(const std::string& id,
                                   const std::optional<std::string>& asked_for);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const char* name) const { return path_ + "/" + name; }

  /// Takes the instance lock for the keeper. An error names the pid of the daemon that has it.
  Result<UniqueFd> lock(pid_t keeper) const;

  /// A listening socket for the control bus, world-connectable: who may do what is judged by the
  /// peer's credentials. A socket file left by a dead daemon is replaced; the lock must be held.
  Result<UniqueFd> listen() const;

  /// Removes the files, and the directories that are empty then.
  void remove() const;

 private:
  explicit InstanceHome(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace foster::manager
