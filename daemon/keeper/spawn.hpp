// From a spawn plan to a running child, and the report pipe that tells whether it came to that.
#pragma once

#include "daemon/keeper/keeper.hpp"

namespace foster::keeper {

/// Descriptors that came with a record, closed with it: each child holds copies, and so would every
/// later one.
class PassedFds {
 public:
  /// Those of the record that the reader gave last, from the `first` on.
  PassedFds(ipc::PacketReader& reader, size_t first, size_t count);
  ~PassedFds();
  PassedFds(const PassedFds&) = delete;
  PassedFds& operator=(const PassedFds&) = delete;

  [[nodiscard]] const int* fds() const { return fds_; }
  [[nodiscard]] size_t count() const { return count_; }
  /// The keeper may open no more descriptors and did not get them.
  [[nodiscard]] bool lost() const { return lost_; }

 private:
  int fds_[ipc::kPacketFdsMax];
  size_t count_ = 0;
  bool lost_ = false;
};

/// `bytes` is a SpawnPlan with what follows it, 8-byte aligned, not to be trusted.
void spawn(Keeper& keeper, const unsigned char* bytes, size_t size, const PassedFds& passed);
void spawn_from_memfd(Keeper& keeper, uint64_t attempt, UniqueFd memfd, const PassedFds& passed);

/// An entry for an attempt that the keeper has not seen before, or null. Moves the others. Without
/// memory for it the manager is ended: it would wait for an answer for ever, and the next asks
/// again.
[[nodiscard]] ChildEntry* enter_attempt(Keeper& keeper, uint64_t attempt);

/// Takes the report if it is there; true once it is, or was before.
bool take_report(Keeper& keeper, ChildEntry& child);
/// Takes those reports of fresh forks that are there, and leaves the others to epoll.
void watch_fresh(Keeper& keeper);

}  // namespace foster::keeper
