// All that a service has to know of its supervisor, without a library: the environment says which
// descriptors there are and where news go.
#pragma once

#include <vector>

namespace chat {

/// Those of $LISTEN_FDS that something can be accepted from; none of them blocks.
std::vector<int> listening_sockets();

/// The socket of $FOSTER_RECEIVE_FD, on which further ones come while we run; -1: there is none.
int receive_socket();

inline constexpr int kOfNoUse = -1;
inline constexpr int kNoMore = -2;

/// Takes one that has come there: a packet holds its name and itself. Not negative, or one of the
/// above.
int receive_listening_socket(int receive_fd);

/// Tells $NOTIFY_SOCKET, as sd_notify(3) does: lines such as "READY=1". Nobody may be listening.
void notify(const char* lines);

}  // namespace chat
