// The files of unix sockets and fifos: made with their directories, permissions and owner, taken
// out of the way when stale, and taken away again when something fails after all.
#pragma once

#include <string>
#include <vector>

#include "common/ipc/unique_fd.hpp"
#include "common/listen/socket_address.hpp"
#include "common/listen/socket_owner.hpp"
#include "common/result.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

/// What was made for a socket; it is removed again unless it is kept.
class MadeFiles {
 public:
  MadeFiles() = default;
  MadeFiles(const MadeFiles&) = delete;
  MadeFiles& operator=(const MadeFiles&) = delete;
  ~MadeFiles();

  /// The directories that lack on the way to the path, 0755.
  Result<void> make_directories(const std::string& path);
  void add_file(std::string path) { file_ = std::move(path); }
  void keep() { kept_ = true; }

 private:
  std::vector<std::string> directories_;
  std::string file_;
  bool kept_ = false;
};

/// Binds a unix socket; the file has its permissions from the first moment on. An error is the
/// reason alone.
Result<void> bind_unix(int fd, const ListenAddress& address, const SocketSpec& spec,
                       const SocketOwner& owner, MadeFiles& made);

/// Opens the fifo, which is made if there is none, for reading and writing: so that the reader
/// meets no end when a writer leaves. One that was there keeps its owner and permissions, where the
/// spec does not say another.
Result<UniqueFd> open_fifo(const ListenAddress& address, const SocketSpec& spec,
                           const SocketOwner& owner, MadeFiles& made);

/// "already in use by nginx, process 123". Short, since the status region has little room for it.
[[nodiscard]] Error in_use(const ListenAddress& address);

}  // namespace foster
