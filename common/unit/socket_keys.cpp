#include <array>

#include "common/unit/key_readers.hpp"
#include "common/unit/key_tables.hpp"
#include "common/unit/size_text.hpp"

namespace foster {
namespace {

using S = const Setting&;

void set_mode(S setting) {
  std::optional<uint32_t> mode;
  read_permissions(setting, mode);
  if (mode) setting.socket().mode = *mode;
}

constexpr std::array kKeys{
    KeySpec{
        Section::socket, "listen",
        "an address such as \"tcp://127.0.0.1:80\" or \"unix:///run/x.sock\"",
        "none: it must be given",
        "Where to listen. tcp:// or udp:// with an address of numbers, or localhost for 127.0.0.1, "
        "and a port: \"tcp://*:80\" is every address of v4 and v6, \"tcp://[fe80::1%%eth0]:80\" an "
        "address of one link, port 0 one that the kernel chooses, which fosterctl status shows. "
        "unix://, unix-dgram:// or "
        "unix-seqpacket:// with a path, or with @ and an abstract name (unix(7)). fifo:// with a "
        "path (fifo(7)). vsock:// with a number or any, and a port (vsock(7)).",
        "address port listen-stream listenstream bind listen-datagram listendatagram path",
        [](S s) { read_listen(s, s.socket()); }},
    KeySpec{Section::socket, "name", "a string: a name without a colon",
            "the unit's name, without the name of an instance, _ in the place of a colon",
            "What the service, and fosterctl fds, call the socket: its word in $LISTEN_FDNAMES.",
            "file-descriptor-name filedescriptorname fdname",
            [](S s) { read_descriptor_name(s, s.socket().name); }},
    KeySpec{Section::socket, "backlog", "a whole number from 1 to 1000000", "4096",
            "How many connections may wait until they are accepted (listen(2)). The kernel has a "
            "limit of its own, net.core.somaxconn.",
            "", [](S s) { read_count(s, 1, 1'000'000, s.socket().backlog); }},
    KeySpec{
        Section::socket, "mode", "an octal number up to 777, such as \"0660\" or 0o660", "\"0666\"",
        "The permissions of the file of a unix socket or fifo: who may write to it may connect.",
        "socket-mode socketmode permissions umask", set_mode},
    KeySpec{Section::socket, "user", "a string: a user's name or number", "the daemon's own user",
            "Whom the file of a unix socket or fifo belongs to.", "socket-user socketuser owner",
            [](S s) { read_account(s, s.socket().user); }},
    KeySpec{Section::socket, "group", "a string: a group's name or number",
            "the first group of the user", "Which group it belongs to.", "socket-group socketgroup",
            [](S s) { read_account(s, s.socket().group); }},
    KeySpec{Section::socket, "reuse-port", "true or false", "false",
            "Whether others that ask for the same may listen at the same address and port; the "
            "kernel shares the connections out among them (SO_REUSEPORT).",
            "reuseport", [](S s) { read_boolean(s, s.socket().reuse_port); }},
    KeySpec{Section::socket, "keep-alive", "true or false", "false",
            "Whether idle connections are probed, so that dead ones end (SO_KEEPALIVE).",
            "keepalive", [](S s) { read_boolean(s, s.socket().keep_alive); }},
    KeySpec{Section::socket, "no-delay", "true or false", "false",
            "Whether small pieces are sent at once instead of collected (TCP_NODELAY).", "nodelay",
            [](S s) { read_boolean(s, s.socket().no_delay); }},
    KeySpec{Section::socket, "transparent", "true or false", "false",
            "Whether it takes what is on its way to addresses of other machines (IP_TRANSPARENT).",
            "", [](S s) { read_boolean(s, s.socket().transparent); }},
    KeySpec{Section::socket, "free-bind", "true or false", "false",
            "Whether it listens at an address that this machine has not got, or not yet "
            "(IP_FREEBIND).",
            "freebind", [](S s) { read_boolean(s, s.socket().free_bind); }},
    KeySpec{Section::socket, "ipv6-only", "true or false", "false",
            "Whether [::] leaves out clients that come by v4 (IPV6_V6ONLY).",
            "bind-ipv6-only bindipv6only v6only",
            [](S s) { read_boolean(s, s.socket().ipv6_only); }},
    KeySpec{Section::socket, "device", "a string: the name of an interface such as \"eth0\"", "any",
            "The only interface that it takes anything from (SO_BINDTODEVICE).",
            "bind-to-device bindtodevice interface",
            [](S s) { read_interface(s, s.socket().device); }},
    KeySpec{Section::socket, "receive-buffer", kSizeExpected, "the kernel's own",
            "How much the kernel keeps of what has come and is not read yet (SO_RCVBUF).",
            "receivebuffer rcvbuf", [](S s) { read_buffer_size(s, s.socket().receive_buffer); }},
    KeySpec{Section::socket, "accept", "true or false", "false",
            "In a template such as echo@.toml: foster itself accepts each connection and starts an "
            "instance for it, which has the connection as descriptor 3 and the address it comes "
            "from in $REMOTE_ADDR and $REMOTE_PORT. An instance is not restarted.",
            "inetd", [](S s) { read_boolean(s, s.socket().accept); }},
    KeySpec{Section::socket, "max-connections", "a whole number from 1 to 1000", "64",
            "With accept: how many connections by this socket there may be at a time. Further ones "
            "are closed.",
            "maxconnections", [](S s) { read_count(s, 1, 1000, s.socket().max_connections); }},
    KeySpec{Section::socket, "max-connections-per-source", "a whole number from 0 to 1000", "0",
            "With accept: how many of them from one address, or of one user by a unix socket; 0 is "
            "no limit.",
            "maxconnectionspersource",
            [](S s) { read_count(s, 0, 1000, s.socket().max_connections_per_source); }},
};

}  // namespace

std::span<const KeySpec> socket_keys() {
  return kKeys;
}

}  // namespace foster
