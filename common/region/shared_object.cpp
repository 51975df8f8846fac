#include "common/region/shared_object.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>

#include "common/region/geometry.hpp"

namespace foster::region {
namespace {

constexpr mode_t kMode = 0644;

std::string path_of(const std::string& name) {
  return "/dev/shm" + name;
}

ObjectIdentity identity_of(const struct stat& status) {
  return {.device = status.st_dev,
          .inode = status.st_ino,
          .owner = status.st_uid,
          .size = static_cast<uint64_t>(status.st_size)};
}

// 0 or an errno.
int allocate(int fd, uint64_t size) {
  if (fchmod(fd, kMode) != 0 || ftruncate(fd, static_cast<off_t>(size)) != 0) return errno;
  int code = 0;
  do {
    code = posix_fallocate(fd, 0, static_cast<off_t>(size));
  } while (code == EINTR);
  return code;
}

}  // namespace

Result<OpenedObject> open_object(const std::string& name, Access access) {
  const std::string what = "open shared memory " + name;
  const int mode = access == Access::read_only ? O_RDONLY : O_RDWR;
  // shm_open adds O_NOFOLLOW and O_CLOEXEC by itself.
  OpenedObject object{.fd = UniqueFd(shm_open(name.c_str(), mode | O_NONBLOCK, 0)), .identity = {}};
  if (!object.fd) return system_failure(what, errno);
  struct stat status {};
  if (fstat(object.fd.get(), &status) != 0) return system_failure(what, errno);
  if (!S_ISREG(status.st_mode)) return failure(what, "it is no shared memory object");
  object.identity = identity_of(status);
  return object;
}

std::optional<ObjectIdentity> identify_object(const std::string& name) {
  struct stat status {};
  if (lstat(path_of(name).c_str(), &status) != 0) return std::nullopt;
  return identity_of(status);
}

Result<OpenedObject> create_object(const std::string& name, uint64_t size) {
  const std::string what = "create shared memory " + name;
  const int flags = O_RDWR | O_CREAT | O_EXCL;
  OpenedObject object{.fd = UniqueFd(shm_open(name.c_str(), flags, kMode)), .identity = {}};
  if (!object.fd) return system_failure(what, errno);
  struct stat status {};
  int code = allocate(object.fd.get(), size);
  if (code == 0 && fstat(object.fd.get(), &status) != 0) code = errno;
  if (code != 0) {
    shm_unlink(name.c_str());
    return system_failure(what + " of " + std::to_string(size) + " bytes", code);
  }
  object.identity = identity_of(status);
  return object;
}

Result<void> rename_object(const std::string& from, const std::string& to) {
  if (std::rename(path_of(from).c_str(), path_of(to).c_str()) != 0)
    return system_failure("put a new object in the place of shared memory " + to, errno);
  return {};
}

std::string successor_name(const std::string& name) {
  return name + "+next";
}

Result<Mapping> Mapping::map(const OpenedObject& object, Access access) {
  const uint64_t size = std::min(object.identity.size, kObjectSizeMax);
  if (size < FOSTER_REGION_HEADER_SIZE)
    return failure("map shared memory", "it is too short for a status region");
  const int protection = access == Access::read_only ? PROT_READ : PROT_READ | PROT_WRITE;
  void* base = mmap(nullptr, size, protection, MAP_SHARED, object.fd.get(), 0);
  if (base == MAP_FAILED) return system_failure("map shared memory", errno);
  Mapping mapping;
  mapping.base_ = base;
  mapping.size_ = size;
  mapping.identity_ = object.identity;
  return mapping;
}

Mapping::Mapping(Mapping&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      identity_(other.identity_) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(base_, other.base_);
  std::swap(size_, other.size_);
  std::swap(identity_, other.identity_);
  return *this;
}

Mapping::~Mapping() {
  if (base_ != nullptr) munmap(base_, size_);
}

}  // namespace foster::region
