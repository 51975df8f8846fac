// Closing descriptors of which one does not know what they are. close(2) waits where a socket
// lingers (SO_LINGER of socket(7)), as long as whoever has made it wishes, and where a file has to
// be flushed to a server that may be gone. libc only, no allocation: the keeper uses it.
#pragma once

namespace foster::ipc {

/// Who reaps the process that closes what may have to wait.
enum class Reaping {
  by_sigchld,    // the caller, as its other children
  at_next_call,  // this function
};

/// Closes what need not wait at once, a socket that lingers without letting it, and leaves the rest
/// to a process that shares the descriptors: a child of the caller's.
void close_aside(int fd, Reaping reaping = Reaping::by_sigchld);

/// Of a socket: whoever closes it last does not wait. Does nothing to other files, and leaves a
/// linger time of 0, which resets the connection.
void end_lingering(int fd);

}  // namespace foster::ipc
