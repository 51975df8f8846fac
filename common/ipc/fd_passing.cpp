#include "common/ipc/fd_passing.hpp"

#include <cstring>

#include "common/check.hpp"

namespace foster::ipc {

void attach_rights(msghdr& message, void* room, const int* fds, size_t count) {
  FOSTER_CHECK(count > 0 && count <= kRightsMax);
  message.msg_control = room;
  message.msg_controllen = CMSG_SPACE(count * sizeof(int));
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(count * sizeof(int));
  std::memcpy(CMSG_DATA(rights), fds, count * sizeof(int));
}

size_t received_rights(const msghdr& message, int* fds, size_t most) {
  auto* headers = const_cast<msghdr*>(&message);  // CMSG_NXTHDR wants it so, and does not write.
  size_t found = 0;
  for (cmsghdr* at = CMSG_FIRSTHDR(headers); at != nullptr; at = CMSG_NXTHDR(headers, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (at->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    FOSTER_CHECK(count <= most - found);
    std::memcpy(fds + found, CMSG_DATA(at), count * sizeof(int));
    found += count;
  }
  return found;
}

}  // namespace foster::ipc
