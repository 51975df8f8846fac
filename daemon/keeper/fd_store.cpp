#include "daemon/keeper/fd_store.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace foster::keeper {

using protocol::StoredDescriptor;

FdStore::~FdStore() {
  for (uint32_t slot = 0; slot < used_; ++slot)
    if (entries_[slot].fd >= 0) close(entries_[slot].fd);
  std::free(entries_);
}

FdStore::Slot* FdStore::find(const StoredDescriptor& name) {
  for (uint32_t slot = 0; slot < used_; ++slot)
    if (entries_[slot].fd >= 0 &&
        std::strncmp(entries_[slot].name.name, name.name, sizeof name.name) == 0)
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
  if (name.name[0] == '\0' || std::memchr(name.name, '\0', sizeof name.name) == nullptr)
    return EINVAL;
  if (!fd) return EMFILE;  // it did not arrive: the keeper may open no more
  Slot* slot = find(name);
  if (slot != nullptr) {
    close(slot->fd);
  } else {
    slot = free_slot();
    if (slot == nullptr) return used_ == protocol::kStoredDescriptorsMax ? ENOSPC : ENOMEM;
  }
  slot->name = name;
  slot->fd = fd.release();
  return 0;
}

void FdStore::drop(const StoredDescriptor& name) {
  Slot* slot = find(name);
  if (slot == nullptr) return;
  close(slot->fd);
  slot->fd = -1;
}

}  // namespace foster::keeper
