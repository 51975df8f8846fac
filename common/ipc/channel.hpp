// Packets of records over a SOCK_SEQPACKET UNIX socket (unix(7)), with descriptors (SCM_RIGHTS).
// One packet carries many records, so that a thousand spawns or exits cost a few dozen system
// calls. libc only, no exceptions, no allocation after construction: the keeper uses it.
//
// A record is a RecordHeader and its body, padded to 8 bytes. The descriptors of a packet belong to
// its records in order, each taking as many as its header says.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/ipc/unique_fd.hpp"

namespace foster::ipc {

inline constexpr size_t kPacketMax = 64 * 1024;  // bytes; far below the default socket buffer
inline constexpr size_t kPacketFdsMax = 250;     // the kernel's SCM_MAX_FD is 253

struct RecordHeader {
  uint32_t size;      // of the record with this header, without padding
  uint16_t type;      // the protocol's own numbers
  uint16_t fd_count;  // descriptors of the packet that are this record's
};

/// A packet under construction.
class PacketWriter {
 public:
  PacketWriter();
  ~PacketWriter();
  PacketWriter(const PacketWriter&) = delete;
  PacketWriter& operator=(const PacketWriter&) = delete;

  [[nodiscard]] bool empty() const { return used_ == 0; }
  [[nodiscard]] bool fits(size_t body_bytes, size_t fds) const;
  /// Room for a record's body (uninitialised), or null when it does not fit: send, then add again.
  /// Descriptors are borrowed: they must stay open until send.
  [[nodiscard]] void* add(uint16_t type, size_t body_bytes, const int* fds = nullptr,
                          size_t fd_count = 0);
  void clear();

  /// Sends the packet whole and clears it; 0, or an errno. EAGAIN (only with dont_wait) keeps it.
  /// MSG_NOSIGNAL is always set; EINTR is retried.
  [[nodiscard]] int send(int socket, bool dont_wait);

 private:
  unsigned char* bytes_;  // kPacketMax, owned
  size_t used_ = 0;
  int fds_[kPacketFdsMax];
  size_t fd_count_ = 0;
};

struct Record {
  uint16_t type = 0;
  const unsigned char* body = nullptr;  // into the reader's buffer, until the next receive
  size_t size = 0;                      // of the body
  size_t fd_count = 0;
};

/// A received packet. Descriptors arrive CLOEXEC; those that nobody takes are closed at the next
/// receive. A process that may open no more of them gets a packet without (MSG_CTRUNC): its records
/// are read all the same, so that they can be answered, and take_fd has nothing for them.
class PacketReader {
 public:
  PacketReader();
  ~PacketReader();
  PacketReader(const PacketReader&) = delete;
  PacketReader& operator=(const PacketReader&) = delete;

  enum class Outcome {
    packet,
    nothing,    // EAGAIN
    closed,     // the peer is gone and everything it sent has been read
    malformed,  // truncated (MSG_TRUNC), sizes that do not add up; the packet is dropped
    failed,     // error() has the errno
  };
  [[nodiscard]] Outcome receive(int socket, bool dont_wait);
  [[nodiscard]] int error() const { return error_; }

  /// The next record of the packet; false at its end.
  [[nodiscard]] bool next(Record& record);
  /// A descriptor of the record that next() gave last, 0 <= i < fd_count. Empty when taken before,
  /// or when the packet came without.
  [[nodiscard]] UniqueFd take_fd(size_t i);

 private:
  void close_fds();
  void lose_fds();
  [[nodiscard]] bool well_formed() const;

  unsigned char* bytes_;  // kPacketMax, owned
  size_t length_ = 0;
  size_t offset_ = 0;
  // A little more than a packet of ours has, so that more is seen as what it is.
  static constexpr size_t kFdRoom = kPacketFdsMax + 8;
  int fds_[kFdRoom];
  size_t fd_count_ = 0;
  bool fds_lost_ = false;
  size_t fd_base_ = 0;  // first descriptor of the current record
  size_t fd_next_ = 0;  // first descriptor of the next one
  int error_ = 0;
};

/// A connected pair, CLOEXEC; 0 or an errno.
[[nodiscard]] int make_pair(UniqueFd& one, UniqueFd& other);

}  // namespace foster::ipc
