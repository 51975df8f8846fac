#include "daemon/keeper/fd_store.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

#include "common/ipc/close_aside.hpp"

namespace foster::keeper {

using protocol::StoredDescriptor;

FdStore::~FdStore() {
  for (uint32_t slot = 0; slot < used_; ++slot)
    clear(entries_[slot]);
  std::free(entries_);
}

void FdStore::clear(Slot& slot) {
  if (slot.fd < 0) return;
  ipc::close_aside(slot.fd);
  std::free(slot.name);
  slot = {nullptr, -1};
}

FdStore::Slot* FdStore::find(const StoredDescriptor& name) {
  for (uint32_t slot = 0; slot < used_; ++slot)
    if (entries_[slot].fd >= 0 && std::strcmp(entries_[slot].name, name.name) == 0)
      return &entries_[slot];
  return nullptr;
}

FdStore::Slot* FdStore::free_slot() {
  for (uint32_t slot = 0; slot < used_; ++slot)
    if (entries_[slot].fd < 0) return &entries_[slot];
  if (used_ < capacity_) return &entries_[used_++];
  if (used_ == protocol::kStoredDescriptorsMax) return nullptr;
  const uint32_t capacity = capacity_ == 0 ? 16 : capacity_ * 2;
  auto* entries = static_cast<Slot*>(std::realloc(entries_, sizeof(Slot) * capacity));
  if (entries == nullptr) return nullptr;
  entries_ = entries;
  capacity_ = capacity;
  return &entries_[used_++];
}

int FdStore::put(const StoredDescriptor& name, UniqueFd fd) {
  const int error = take(name, fd);
  if (fd) ipc::close_aside(fd.release());
  return error;
}

int FdStore::take(const StoredDescriptor& name, UniqueFd& fd) {
  if (name.name[0] == '\0' || std::memchr(name.name, '\0', sizeof name.name) == nullptr)
    return EINVAL;
  if (!fd) return EMFILE;  // it did not arrive: the keeper may open no more
  Slot* slot = find(name);
  if (slot != nullptr) {
    ipc::close_aside(std::exchange(slot->fd, fd.release()));
    return 0;
  }
  // As long as it is, not as long as it may be: there may be one for each unit.
  char* copy = strdup(name.name);
  if (copy == nullptr) return ENOMEM;
  slot = free_slot();
  if (slot == nullptr) {
    std::free(copy);
    return used_ == protocol::kStoredDescriptorsMax ? ENOSPC : ENOMEM;
  }
  *slot = {copy, fd.release()};
  return 0;
}

void FdStore::drop(const StoredDescriptor& name) {
  if (std::memchr(name.name, '\0', sizeof name.name) == nullptr) return;
  Slot* slot = find(name);
  if (slot != nullptr) clear(*slot);
}

}  // namespace foster::keeper
