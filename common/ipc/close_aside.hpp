// Closing descriptors of which one does not know what they are. close(2) waits where a socket
// lingers (SO_LINGER of socket(7)), as long as whoever has made it wishes, and where a file has to
// be flushed to a server that may be gone. libc only, no allocation: the keeper uses it.
#pragma once

namespace foster::ipc {

/// Closes what need not wait at once, a socket that lingers without letting it, and leaves the rest
/// to a process that shares the descriptors: a child of the caller's, to be reaped.
void close_aside(int fd);

}  // namespace foster::ipc
