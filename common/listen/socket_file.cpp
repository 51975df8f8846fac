#include "common/listen/socket_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/listen/place_holder.hpp"

namespace foster {
namespace {

constexpr mode_t kPermissions = 0777;
constexpr mode_t kDirectoryMode = 0755;

/// bind(2) and mkfifo(3) give a file the permissions that the umask leaves of 0777 and of their own
/// argument. The programs that open sockets have one thread.
class UmaskScope {
 public:
  explicit UmaskScope(mode_t mode) : before_(umask(~mode & kPermissions)) {}
  UmaskScope(const UmaskScope&) = delete;
  UmaskScope& operator=(const UmaskScope&) = delete;
  ~UmaskScope() { umask(before_); }

 private:
  mode_t before_;
};

std::unexpected<Error> reason(int code) {
  return std::unexpected(Error{strerrordesc_np(code), code});
}

std::unexpected<Error> reason(std::string text, int code) {
  return std::unexpected(Error{std::move(text), code});
}

std::string_view file_kind(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return "a file";
    case S_IFDIR:
      return "a directory";
    case S_IFLNK:
      return "a symbolic link";
    case S_IFIFO:
      return "a fifo";
    case S_IFSOCK:
      return "a socket";
    default:
      return "a device";
  }
}

std::unexpected<Error> in_the_way(const std::string& path, mode_t mode) {
  return reason(path + " is " + std::string(file_kind(mode)) + ", which is left alone", EEXIST);
}

/// Whether nobody has the socket with this file any more. What cannot be found out is no.
Result<bool> stale(const ListenAddress& address, const SocketAddress& name) {
  if (unix_socket_there(address.path)) return false;
  const UniqueFd client(
      socket(AF_UNIX, socket_type(address.kind) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!client) return reason(errno);
  if (connect(client.get(), name.get(), name.size) == 0) return false;
  if (errno == EACCES || errno == EPERM) return reason(errno);
  return errno == ECONNREFUSED || errno == ENOENT;
}

/// The file that is in the way is removed, if that is all that is left of a socket.
Result<void> remove_stale(const ListenAddress& address, const SocketAddress& name) {
  struct stat found {};
  if (lstat(address.path.c_str(), &found) != 0)
    return errno == ENOENT ? Result<void>() : reason(errno);
  if (!S_ISSOCK(found.st_mode)) return in_the_way(address.path, found.st_mode);
  const Result<bool> gone = stale(address, name);
  if (!gone) return std::unexpected(gone.error());
  if (!*gone) return std::unexpected(in_use(address));
  if (unlink(address.path.c_str()) != 0 && errno != ENOENT)
    return reason("cannot remove the socket that nobody listens at any more: " +
                      std::string(strerrordesc_np(errno)),
                  errno);
  return {};
}

int bind_with_mode(int fd, const SocketAddress& name, mode_t mode) {
  const UmaskScope scope(mode);
  return bind(fd, name.get(), name.size) == 0 ? 0 : errno;
}

/// `fd`: the file, where it is open; otherwise the path is used, and no link is followed.
Result<void> change_owner(int fd, const std::string& path, const SocketOwner& owner) {
  if (!owner.user && !owner.group) return {};
  const uid_t user = owner.user.value_or(static_cast<uid_t>(-1));
  const gid_t group = owner.group.value_or(static_cast<gid_t>(-1));
  const int r = fd >= 0 ? fchown(fd, user, group)
                        : fchownat(AT_FDCWD, path.c_str(), user, group, AT_SYMLINK_NOFOLLOW);
  if (r == 0) return {};
  return reason("cannot change the owner of " + path + ": " + strerrordesc_np(errno), errno);
}

Result<void> set_mode(int fd, mode_t mode) {
  struct stat found {};
  if (fstat(fd, &found) != 0) return reason(errno);
  if ((found.st_mode & kPermissions) == mode || fchmod(fd, mode) == 0) return {};
  return reason("cannot change its permissions: " + std::string(strerrordesc_np(errno)), errno);
}

}  // namespace

MadeFiles::~MadeFiles() {
  if (kept_) return;
  if (!file_.empty()) unlink(file_.c_str());
  std::ranges::reverse(directories_);
  for (const std::string& directory : directories_)
    rmdir(directory.c_str());
}

Result<void> MadeFiles::make_directories(const std::string& path) {
  const UmaskScope scope(kDirectoryMode);
  for (size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
    const std::string directory = path.substr(0, at);
    if (mkdir(directory.c_str(), kDirectoryMode) == 0) {
      directories_.push_back(directory);
      continue;
    }
    // On a file system that is read only what is there is told as that.
    const int error = errno;
    struct stat found {};
    if (error == EEXIST || stat(directory.c_str(), &found) == 0) continue;
    return reason("cannot make the directory " + directory + ": " + strerrordesc_np(error), error);
  }
  return {};
}

Error in_use(const ListenAddress& address) {
  const std::string holder = holder_of(address);
  return {"already in use" + (holder.empty() ? "" : " by " + holder), EADDRINUSE};
}

Result<void> bind_unix(int fd, const ListenAddress& address, const SocketSpec& spec,
                       const SocketOwner& owner, MadeFiles& made) {
  const Result<SocketAddress> name = socket_address(address);
  if (!name) return std::unexpected(name.error());
  if (!has_file(address)) {
    const int error = bind_with_mode(fd, *name, spec.mode);
    if (error == EADDRINUSE) return std::unexpected(in_use(address));
    return error == 0 ? Result<void>() : reason(error);
  }
  if (Result<void> ready = made.make_directories(address.path); !ready) return ready;
  int error = bind_with_mode(fd, *name, spec.mode);
  if (error == EADDRINUSE) {
    if (Result<void> removed = remove_stale(address, *name); !removed) return removed;
    error = bind_with_mode(fd, *name, spec.mode);
  }
  if (error == EADDRINUSE) return std::unexpected(in_use(address));
  if (error != 0) return reason(error);
  made.add_file(address.path);
  return change_owner(-1, address.path, owner);
}

Result<UniqueFd> open_fifo(const ListenAddress& address, const SocketSpec& spec,
                           const SocketOwner& owner, MadeFiles& made) {
  const std::string& path = address.path;
  if (Result<void> ready = made.make_directories(path); !ready)
    return std::unexpected(ready.error());
  bool fresh = false;
  {
    const UmaskScope scope(spec.mode);
    if (mkfifo(path.c_str(), spec.mode) == 0) {
      fresh = true;
      made.add_file(path);
    } else if (errno != EEXIST) {
      return reason(errno);
    }
  }
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0 && !S_ISFIFO(found.st_mode))
    return in_the_way(path, found.st_mode);
  UniqueFd fifo(open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fifo || fstat(fifo.get(), &found) != 0) return reason(errno);
  if (!S_ISFIFO(found.st_mode)) return in_the_way(path, found.st_mode);
  Result<void> ready = change_owner(fifo.get(), path, owner);
  const bool asked_for = fresh || spec.mode != SocketSpec{}.mode;
  if (ready && asked_for) ready = set_mode(fifo.get(), spec.mode);
  if (!ready) return std::unexpected(ready.error());
  return fifo;
}

}  // namespace foster
