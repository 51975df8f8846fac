// Descriptors that the manager gave the keeper to hold, by name: they outlive the manager. Services
// have made many of them, so that nobody knows how they close.
#pragma once

#include <cstdint>

#include "common/ipc/unique_fd.hpp"
#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::keeper {

class FdStore {
 public:
  FdStore() = default;
  ~FdStore();
  FdStore(const FdStore&) = delete;
  FdStore& operator=(const FdStore&) = delete;

  /// Closes what was there under that name; 0 or an errno: then the new one is closed.
  [[nodiscard]] int put(const protocol::StoredDescriptor& name, UniqueFd fd);
  void drop(const protocol::StoredDescriptor& name);

  /// For going through all: fd is -1 where a slot is free.
  struct Slot {
    char* name;  // owned, while fd is there
    int fd;
  };
  [[nodiscard]] uint32_t slots() const { return used_; }
  [[nodiscard]] const Slot& at(uint32_t slot) const { return entries_[slot]; }

 private:
  /// Leaves `fd` where it is if that fails.
  [[nodiscard]] int take(const protocol::StoredDescriptor& name, UniqueFd& fd);
  [[nodiscard]] Slot* find(const protocol::StoredDescriptor& name);
  [[nodiscard]] Slot* free_slot();
  static void clear(Slot& slot);

  Slot* entries_ = nullptr;
  uint32_t capacity_ = 0;
  uint32_t used_ = 0;  // slots below it have been in use
};

}  // namespace foster::keeper
