// Where a socket listens, as people write it:
//
//   tcp://127.0.0.1:80      udp://[::1]:53      tcp://[fe80::1%eth0]:80
//   tcp://*:80              every address, v4 and v6 on one socket; tcp://:80 means the same
//   tcp://0.0.0.0:0         a port that the kernel chooses
//   unix:///run/x.sock      unix-dgram://, unix-seqpacket://; unix://@name is abstract (unix(7))
//   fifo:///run/x.fifo      fifo(7)
//   vsock://any:1234        vsock(7); or a number in the place of "any"
//
// Numbers alone, and localhost: nothing is looked up by name, so that neither a check nor a start
// waits for a name server.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "common/result.hpp"
#include "common/unit/unit_spec.hpp"

namespace foster {

struct ListenAddress {
  SocketKind kind = SocketKind::tcp;
  std::string host;       // tcp, udp: "127.0.0.1", "::1", "*"; vsock: the number, or "any"
  std::string interface;  // of a v6 address: what follows '%'
  std::string path;       // unix, fifo; "@name": abstract
  uint32_t port = 0;
};

/// What is wrong with which bytes of a text.
struct ListenMistake {
  size_t offset = 0;
  size_t length = 1;
  std::string message;  // completes "is no address to listen at: ..."
};

[[nodiscard]] std::expected<ListenAddress, ListenMistake> read_listen_address(
    std::string_view text);

/// An error completes "is no address to listen at: ...".
[[nodiscard]] Result<ListenAddress> parse_listen_address(std::string_view text);

/// The normal form, which parses to the same.
[[nodiscard]] std::string listen_text(const ListenAddress& address);

/// Of a file's path: a unix socket's that is not abstract, or a fifo's.
[[nodiscard]] bool has_file(const ListenAddress& address);

/// "tcp", "unix-dgram", ...: what stands before "://".
[[nodiscard]] std::string_view socket_kind_text(SocketKind kind);

/// Whether two sockets cannot both be bound: what one would get the other gets, too. Without regard
/// to reuse-port and to devices. `ipv6_only` as the sockets have it.
[[nodiscard]] bool collide(const ListenAddress& one, bool one_ipv6_only, const ListenAddress& other,
                           bool other_ipv6_only);

}  // namespace foster
