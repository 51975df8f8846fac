// A POSIX shared memory object (shm_open(3)): opening, mapping, and replacing one by another.
//
// A name always leads to a complete object, because a new one is built under the name "<name>+next"
// and then renamed over the old one in a single step. rename(2) wants a path: on Linux the object
// "/x" is the file /dev/shm/x. Names of instances hold no '+', so "+next" is nobody's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <sys/types.h>

#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"

namespace foster::region {

/// Which object it is, whatever names lead to it.
struct ObjectIdentity {
  dev_t device = 0;
  ino_t inode = 0;
  uid_t owner = 0;
  uint64_t size = 0;

  [[nodiscard]] bool same_object(const ObjectIdentity& other) const {
    return device == other.device && inode == other.inode;
  }
};

struct OpenedObject {
  UniqueFd fd;
  ObjectIdentity identity;
};

enum class Access { read_only, read_write };

/// ENOENT when the name leads nowhere. Symbolic links are not followed, and what is no regular file
/// (a FIFO that someone put there, for one) is an error without waiting for anyone.
[[nodiscard]] Result<OpenedObject> open_object(const std::string& name, Access access);

/// What the name leads to at this moment, without opening it; a link is not followed.
[[nodiscard]] std::optional<ObjectIdentity> identify_object(const std::string& name);

/// A new object of `size` zero bytes that are really there, mode 0644 whatever the umask is. A full
/// /dev/shm is an error here. The name must be free.
[[nodiscard]] Result<OpenedObject> create_object(const std::string& name, uint64_t size);

[[nodiscard]] Result<void> rename_object(const std::string& from, const std::string& to);

/// The name under which the successor of `name` is built.
[[nodiscard]] std::string successor_name(const std::string& name);

/// Shared memory, unmapped with its owner. An object that its owner cuts short while it is mapped
/// makes the next access to the lost part fatal (SIGBUS); only the object's owner and root can do
/// that.
class Mapping {
 public:
  Mapping() = default;
  static Result<Mapping> map(const OpenedObject& object, Access access);
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  explicit operator bool() const { return base_ != nullptr; }
  [[nodiscard]] void* base() const { return base_; }
  [[nodiscard]] uint64_t size() const { return size_; }
  [[nodiscard]] const ObjectIdentity& identity() const { return identity_; }

 private:
  void* base_ = nullptr;
  uint64_t size_ = 0;
  ObjectIdentity identity_;
};

}  // namespace foster::region
