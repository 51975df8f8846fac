// Descriptors that ride with a message over a UNIX socket: SCM_RIGHTS of unix(7), laid out as
// cmsg(3) asks for. libc only, no exceptions, no allocation: the keeper uses it.
#pragma once

#include <cstddef>
#include <sys/socket.h>

namespace foster::ipc {

/// What the kernel lets travel with one message (SCM_MAX_FD).
inline constexpr size_t kRightsMax = 253;

/// Room for the ancillary data of a message with at most `Count` descriptors, aligned.
template <size_t Count>
struct RightsRoom {
  alignas(cmsghdr) unsigned char bytes[CMSG_SPACE(Count * sizeof(int))]{};
};

/// Puts descriptors, at least one, into a message to be sent. They are borrowed until it is, and so
/// is `room`, of CMSG_SPACE(count * sizeof(int)) bytes at least. At least one byte of data has to
/// go along with them.
void attach_rights(msghdr& message, void* room, const int* fds, size_t count);

/// Copies the numbers of the descriptors that came with a message to `fds`, where there is room for
/// `most` of them, and returns how many these are. Whoever calls owns them. More than there is room
/// for is a broken invariant: the room for ancillary data that recvmsg was given bounds them.
[[nodiscard]] size_t received_rights(const msghdr& message, int* fds, size_t most);

}  // namespace foster::ipc
