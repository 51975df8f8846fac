// Opens what a [[socket]] asks for: bound, with its options, listening (socket(7), ip(7), ipv6(7),
// tcp(7), unix(7), fifo(7)). The descriptor is CLOEXEC. It blocks, as services expect of what they
// are given; but not one with `accept`, from which foster itself takes the connections.
//
// A socket's file that is in the way is removed only if nobody listens there; directories that lack
// on the way to it are made, 0755. Nothing is left behind by a failure.
#pragma once

#include <cstdint>
#include <string>

#include "common/ipc/unique_fd.hpp"
#include "common/listen/socket_owner.hpp"
#include "common/result.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

/// "cannot listen on tcp://127.0.0.1:80: already in use by nginx, process 123"; who has
/// it is told where this user may see it. Asks for `user` and `group` in the system's user
/// database, which programs that are linked statically cannot: those use open_socket_as.
[[nodiscard]] Result<UniqueFd> open_socket(const SocketSpec& spec);

/// The same, with the owner of the file as found out by the caller, whatever the spec says of one.
[[nodiscard]] Result<UniqueFd> open_socket_as(const SocketSpec& spec, const SocketOwner& owner);

/// Whether the spec is of a fifo, and there is one already: open_socket uses it as it is.
[[nodiscard]] bool is_fifo_there(const SocketSpec& spec);

/// Removes the file of a unix socket or fifo, if it is still the one that this descriptor is bound
/// to. For when the socket is closed for good.
void remove_socket_file(const SocketSpec& spec, int fd);

/// "tcp 127.0.0.1:80, listening", "unix /run/x.sock", "pipe", "file /var/log/x", "memfd name",
/// "eventfd": what a descriptor is, for people. Asks the kernel (getsockname(2), fstat(2), /proc).
[[nodiscard]] std::string descriptor_text(int fd);

/// The port of a tcp, udp or vsock socket as bound; 0: it has none.
[[nodiscard]] uint16_t bound_port(int fd);

/// Whether the descriptor is a socket that listen(2) was called for.
[[nodiscard]] bool is_listening(int fd);

/// Whether what the kernel says of the socket (family, type, address, that its file is there and
/// that nobody has shut it down) is what the spec asks for: the socket can be used in the place of
/// one that would be opened now.
[[nodiscard]] bool fits_spec(int fd, const SocketSpec& spec);

}  // namespace foster
