#include "common/ipc/channel.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sys/socket.h>

#include "common/check.hpp"
#include "common/ipc/fd_passing.hpp"

namespace foster::ipc {
namespace {

constexpr size_t kAlignment = 8;

size_t padded(size_t size) {
  return (size + kAlignment - 1) & ~(kAlignment - 1);
}

unsigned char* allocate_packet() {
  auto* bytes = static_cast<unsigned char*>(std::malloc(kPacketMax));
  FOSTER_CHECK(bytes != nullptr);
  return bytes;
}

}  // namespace

PacketWriter::PacketWriter() : bytes_(allocate_packet()) {}

PacketWriter::~PacketWriter() {
  std::free(bytes_);
}

bool PacketWriter::fits(size_t body_bytes, size_t fds) const {
  if (body_bytes > kPacketMax || fds > kPacketFdsMax) return false;
  return padded(sizeof(RecordHeader) + body_bytes) <= kPacketMax - used_ &&
         fds <= kPacketFdsMax - fd_count_;
}

void* PacketWriter::add(uint16_t type, size_t body_bytes, const int* fds, size_t fd_count) {
  if (!fits(body_bytes, fd_count)) return nullptr;
  const size_t size = sizeof(RecordHeader) + body_bytes;
  const RecordHeader header{static_cast<uint32_t>(size), type, static_cast<uint16_t>(fd_count)};
  unsigned char* at = bytes_ + used_;
  std::memcpy(at, &header, sizeof header);
  std::memset(at + size, 0, padded(size) - size);
  used_ += padded(size);
  if (fd_count > 0) std::memcpy(fds_ + fd_count_, fds, fd_count * sizeof(int));
  fd_count_ += fd_count;
  return at + sizeof header;
}

void PacketWriter::clear() {
  used_ = 0;
  fd_count_ = 0;
}

int PacketWriter::send(int socket, bool dont_wait) {
  FOSTER_CHECK(!empty());
  iovec bytes{bytes_, used_};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  RightsRoom<kPacketFdsMax> room;
  if (fd_count_ > 0) attach_rights(message, room.bytes, fds_, fd_count_);
  for (;;) {
    if (sendmsg(socket, &message, MSG_NOSIGNAL | (dont_wait ? MSG_DONTWAIT : 0)) >= 0) break;
    if (errno != EINTR) return errno;
  }
  clear();
  return 0;
}

PacketReader::PacketReader() : bytes_(allocate_packet()) {}

PacketReader::~PacketReader() {
  close_fds();
  std::free(bytes_);
}

void PacketReader::close_fds() {
  for (size_t i = 0; i < fd_count_; ++i)
    if (fds_[i] >= 0) close(fds_[i]);
  fd_count_ = 0;
}

PacketReader::Outcome PacketReader::receive(int socket, bool dont_wait) {
  close_fds();
  fds_lost_ = false;
  length_ = offset_ = fd_base_ = fd_next_ = 0;
  iovec bytes{bytes_, kPacketMax};
  RightsRoom<kFdRoom> room;
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  message.msg_control = room.bytes;
  message.msg_controllen = sizeof room.bytes;
  ssize_t got = -1;
  int resets = 0;
  // A peer that ends with something unread resets the connection. The kernel tells of that once,
  // before it hands out what the peer had sent.
  do {
    got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | (dont_wait ? MSG_DONTWAIT : 0));
  } while (got < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
  if (got < 0) {
    error_ = errno;
    if (error_ == EAGAIN) return Outcome::nothing;
    return error_ == ECONNRESET ? Outcome::closed : Outcome::failed;
  }
  fd_count_ = received_rights(message, fds_, kFdRoom);
  if ((message.msg_flags & MSG_CTRUNC) != 0) lose_fds();
  if ((message.msg_flags & MSG_TRUNC) != 0) {
    close_fds();
    return Outcome::malformed;
  }
  if (got == 0) return Outcome::closed;
  length_ = static_cast<size_t>(got);
  if (well_formed()) return Outcome::packet;
  close_fds();
  length_ = 0;
  return Outcome::malformed;
}

void PacketReader::lose_fds() {
  // Those that did arrive go too: which of the records are whole is nothing to build upon.
  close_fds();
  fds_lost_ = true;
}

bool PacketReader::well_formed() const {
  size_t at = 0;
  size_t fds = 0;
  while (at < length_) {
    RecordHeader header;
    if (length_ - at < sizeof header) return false;
    std::memcpy(&header, bytes_ + at, sizeof header);
    if (header.size < sizeof header || header.size > length_ - at) return false;
    if (padded(header.size) > length_ - at) return false;
    if (header.fd_count > kPacketFdsMax) return false;
    at += padded(header.size);
    fds += header.fd_count;
  }
  return fds_lost_ || fds == fd_count_;
}

bool PacketReader::next(Record& record) {
  if (offset_ >= length_) return false;
  RecordHeader header;
  std::memcpy(&header, bytes_ + offset_, sizeof header);
  record.type = header.type;
  record.body = bytes_ + offset_ + sizeof header;
  record.size = header.size - sizeof header;
  record.fd_count = header.fd_count;
  offset_ += padded(header.size);
  fd_base_ = fd_next_;
  fd_next_ += header.fd_count;
  return true;
}

UniqueFd PacketReader::take_fd(size_t i) {
  FOSTER_CHECK(i < fd_next_ - fd_base_);
  if (fds_lost_) return UniqueFd();
  return UniqueFd(std::exchange(fds_[fd_base_ + i], -1));
}

int make_pair(UniqueFd& one, UniqueFd& other) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno;
  one.reset(ends[0]);
  other.reset(ends[1]);
  return 0;
}

}  // namespace foster::ipc
