// [[socket]], the keys of [service] about descriptors, and what units say together of where they
// listen.

#include "common/unit/held_max.hpp"
#include "tests/unit/unit_file/parsing.hpp"

namespace foster {
namespace {

using testing::complaints;
using testing::folded;
using testing::said_of;
using testing::set_of;
using testing::unit_from;
using testing::with_command;

std::string with_socket(const std::string& text) {
  return with_command("[[socket]]\n" + text);
}

TEST(SocketKeys, Defaults) {
  const UnitSpec unit = unit_from(with_socket("listen = \"tcp://*:80\"\n"));
  ASSERT_EQ(sockets_of(unit).size(), 1U);
  const SocketSpec& socket = sockets_of(unit)[0];
  EXPECT_EQ(socket.name, "web");
  EXPECT_EQ(socket.listen, "tcp://*:80");
  EXPECT_EQ(socket.kind, SocketKind::tcp);
  EXPECT_EQ(socket.backlog, 4096U);
  EXPECT_EQ(socket.mode, 0666U);
  EXPECT_EQ(socket.place.line, 4U);
  EXPECT_EQ(socket.place.column, 10U);
  EXPECT_FALSE(starts_on_connection(unit));
  EXPECT_FALSE(uses_notify(unit));
  EXPECT_FALSE(unit_from(with_command("")).descriptors);
}

TEST(SocketKeys, EachKey) {
  const UnitSpec unit = unit_from(with_socket(R"(listen = "tcp://[::]:443"
name = "https"
backlog = 10
reuse-port = true
keep-alive = true
no-delay = true
transparent = true
free-bind = true
ipv6-only = true
device = "lo"
receive-buffer = "64KiB"
[[socket]]
name = "control"
listen = "unix:///run/web.sock"
mode = "0660"
user = "www-data"
group = "5"
)"));
  ASSERT_EQ(sockets_of(unit).size(), 2U);
  const SocketSpec& first = sockets_of(unit)[0];
  EXPECT_EQ(first.name, "https");
  EXPECT_EQ(first.backlog, 10U);
  EXPECT_TRUE(first.reuse_port && first.keep_alive && first.no_delay && first.transparent &&
              first.free_bind && first.ipv6_only);
  EXPECT_EQ(first.device, "lo");
  EXPECT_EQ(first.receive_buffer, 65536U);
  const SocketSpec& second = sockets_of(unit)[1];
  EXPECT_EQ(second.kind, SocketKind::unix_stream);
  EXPECT_EQ(second.mode, 0660U);
  EXPECT_EQ(second.user, "www-data");
  EXPECT_EQ(second.group, "5");
  EXPECT_FALSE(second.reuse_port);
}

TEST(SocketKeys, AnArrayOfTablesIsTheSame) {
  const UnitSpec unit = unit_from("socket = [{ listen = \"udp://*:53\" }]\n" + with_command(""));
  ASSERT_EQ(sockets_of(unit).size(), 1U);
  EXPECT_EQ(sockets_of(unit)[0].kind, SocketKind::udp);
  EXPECT_TRUE(sockets_of(unit_from("socket = []\n" + with_command(""))).empty());
}

TEST(SocketKeys, DescriptorsOfTheService) {
  const UnitSpec unit = unit_from(with_command(R"(start = "first-connection"
trigger-limit = 3
trigger-interval = "5s"
receive = "live"
store-max = 7
store-preserve = "always"
[[socket]]
listen = "unix://@x"
)"));
  EXPECT_TRUE(starts_on_connection(unit));
  EXPECT_EQ(unit.descriptors->trigger_limit, 3U);
  EXPECT_EQ(unit.descriptors->trigger_interval, std::chrono::seconds(5));
  EXPECT_TRUE(unit.descriptors->receive_live);
  EXPECT_EQ(unit.descriptors->store_max, 7U);
  EXPECT_EQ(unit.descriptors->store_preserve, StorePreserve::always);
  EXPECT_TRUE(uses_notify(unit));
  EXPECT_FALSE(uses_notify(unit_from(with_command("receive = \"live\"\n"))));
}

TEST(SocketKeys, NoMoreIsStoredThanAStartCanPassOn) {
  EXPECT_EQ(unit_from(with_command("store-max = 240\n")).descriptors->store_max, kHeldMax);
  EXPECT_NE(complaints(with_command("store-max = 241\n")).find("from 0 to 240"), std::string::npos);
}

TEST(SocketKeys, ABadAddressIsShownWhereItIsBad) {
  EXPECT_EQ(complaints(with_socket(R"(listen = "tcp://127.0.0.1:http"
[[socket]]
name = "b"
listen = "tpc://\u002a:80"
[[socket]]
name = "c"
listen = 8080
[[socket]]
name = "d"
listen = "tcp://[::%%]:80"
)")),
            folded(R"(web.toml:4:27: "tcp://127.0.0.1:http" is no address to listen at: `http` is \
no port: a number from 0 to 65535
    listen = "tcp://127.0.0.1:http"
                              ^^^^
web.toml:7:11: "tpc://*:80" is no address to listen at: `tpc` is no kind of socket; did you mean \
`tcp`?
    listen = "tpc://\u002a:80"
              ^^^
web.toml:10:10: `listen` must be an address such as "tcp://127.0.0.1:80" or "unix:///run/x.sock", \
not an integer; write listen = "tcp://*:8080"
    listen = 8080
             ^^^^
web.toml:13:10: "tcp://[::%]:80" is no address to listen at: `` cannot be the name of an interface
    listen = "tcp://[::%%]:80"
             ^^^^^^^^^^^^^^^^^
)"));
}

TEST(SocketKeys, ValuesThatCannotBe) {
  EXPECT_EQ(complaints(with_socket(R"(listen = "tcp://*:80"
name = "a:b"
backlog = 0
device = "a/b"
receive-buffer = "2GiB"
no-delya = true
)")),
            folded(R"(web.toml:5:8: "a:b" cannot be a descriptor's name: 1 to 255 characters of \
ASCII make one, and no colon is among them
    name = "a:b"
           ^^^^^
web.toml:6:11: `backlog` must be a whole number from 1 to 1000000, not 0
    backlog = 0
              ^
web.toml:7:10: "a/b" cannot be the name of an interface
    device = "a/b"
             ^^^^^
web.toml:8:18: `receive-buffer` must be less than 1GiB
    receive-buffer = "2GiB"
                     ^^^^^^
web.toml:9:1: unknown key `no-delya` in [[socket]]; did you mean `no-delay`?
    no-delya = true
    ^^^^^^^^
)"));
  EXPECT_EQ(complaints(with_socket("listen = \"unix:///x\"\nmode = 660\n")),
            R"(web.toml:5:8: `mode` must be octal: write mode = "0660" or 0o660
    mode = 660
           ^^^
)");
}

TEST(SocketKeys, ASocketNeedsAnAddressAndTwoBrackets) {
  EXPECT_EQ(complaints(with_socket("name = \"x\"\n[socket.more]\n")),
            R"(web.toml:3:1: a [[socket]] needs `listen`, such as listen = "tcp://127.0.0.1:8080"
    [[socket]]
    ^^^^^^^^^^
web.toml:5:9: unknown key `more` in [[socket]]; did you mean `mode`?
    [socket.more]
            ^^^^
)");
  EXPECT_EQ(complaints(with_command("[socket]\nlisten = \"tcp://*:x\"\n")),
            folded(R"(web.toml:3:1: a unit may have several sockets: write [[socket]], and the \
keys of one below
    [socket]
    ^^^^^^^^
web.toml:4:19: "tcp://*:x" is no address to listen at: `x` is no port: a number from 0 to 65535
    listen = "tcp://*:x"
                      ^
)"));
  EXPECT_EQ(complaints("socket = \"tcp://*:80\"\n" + with_command("")),
            folded(R"(web.toml:1:1: a unit may have several sockets: write [[socket]], and the \
keys of one below
    socket = "tcp://*:80"
    ^^^^^^
)"));
}

TEST(SocketKeys, KeysThatDoNotFitTheKindOfSocket) {
  EXPECT_EQ(complaints(with_socket(R"(listen = "udp://*:53"
backlog = 1
mode = "0600"
no-delay = true
ipv6-only = true
max-connections = 5
[[socket]]
name = "f"
listen = "fifo:///run/f"
receive-buffer = "1KiB"
reuse-port = true
[[socket]]
name = "a"
listen = "unix://@a"
user = "root"
)")),
            folded(R"(web.toml:5:1: `backlog` is for sockets that are connected to: tcp, unix, \
unix-seqpacket and vsock, and this is udp://*:53
    backlog = 1
    ^^^^^^^
web.toml:6:1: `mode` is for sockets and fifos that have a path, and this is udp://*:53
    mode = "0600"
    ^^^^
web.toml:7:1: `no-delay` is for tcp, and this is udp://*:53
    no-delay = true
    ^^^^^^^^
web.toml:8:1: `ipv6-only` is for tcp and udp at an IPv6 address, and this is udp://*:53
    ipv6-only = true
    ^^^^^^^^^
web.toml:9:1: `max-connections` is of no use without `accept`
    max-connections = 5
    ^^^^^^^^^^^^^^^
web.toml:13:1: `receive-buffer` is for sockets, and this is fifo:///run/f
    receive-buffer = "1KiB"
    ^^^^^^^^^^^^^^
web.toml:14:1: `reuse-port` is for tcp and udp, and this is fifo:///run/f
    reuse-port = true
    ^^^^^^^^^^
web.toml:18:1: `user` is for sockets and fifos that have a path, and this is unix://@a
    user = "root"
    ^^^^
)"));
}

TEST(SocketKeys, TwoOfOneNameOrAtOnePlace) {
  EXPECT_EQ(complaints(with_socket(R"(listen = "tcp://*:80"
[[socket]]
listen = "tcp://*:81"
[[socket]]
name = "web"
listen = "tcp://*:82"
[[socket]]
name = "b"
listen = "tcp://127.0.0.1:80"
)")),
            folded(R"(web.toml:5:1: two sockets of the unit are called "web", the unit's name; \
give them a `name`
    [[socket]]
    ^^^^^^^^^^
web.toml:8:8: two sockets of the unit are called "web"
    name = "web"
           ^^^^^
web.toml:12:10: tcp://127.0.0.1:80 is taken by the socket "web" of this unit, which is tcp://*:80
    listen = "tcp://127.0.0.1:80"
             ^^^^^^^^^^^^^^^^^^^^
)"));
  EXPECT_EQ(complaints(with_socket(R"(listen = "tcp://*:80"
reuse-port = true
[[socket]]
name = "b"
listen = "tcp://*:80"
reuse-port = true
[[socket]]
name = "c"
listen = "udp://*:80"
)")),
            "");
}

TEST(SocketKeys, WhatBelongsTogether) {
  EXPECT_EQ(complaints(with_command("start = \"first-connection\"\n")),
            folded(R"(web.toml:3:9: "first-connection" needs a [[socket]] that something can come \
to
    start = "first-connection"
            ^^^^^^^^^^^^^^^^^^
)"));
  EXPECT_EQ(complaints(with_command("trigger-limit = 5\n[[socket]]\nlisten = \"tcp://*:80\"\n")),
            folded(R"(web.toml:3:1: `trigger-limit` is of no use without start = \
"first-connection"
    trigger-limit = 5
    ^^^^^^^^^^^^^
)"));
  EXPECT_EQ(complaints(with_command("[ready]\ndescriptor = 4\n[[socket]]\nlisten = \"tcp://*:80\"\n"
                                    "[[socket]]\nname = \"b\"\nlisten = \"tcp://*:81\"\n")),
            folded(R"(web.toml:4:14: descriptor 4 is the socket "b": take one from 5 on, or \
descriptor-variable
    descriptor = 4
                 ^
)"));
  EXPECT_EQ(
      complaints(with_command("[ready]\ndescriptor = 4\n[[socket]]\nlisten = \"tcp://*:80\"\n")),
      "");
}

TEST(SocketKeys, OverlapIsForServicesThatRunInTheForeground) {
  EXPECT_TRUE(unit_from(with_command("[restart]\noverlap = true\n")).restart.overlap);
  EXPECT_EQ(complaints(with_command("type = \"notify\"\n[restart]\noverlap = true\n")), "");
  EXPECT_EQ(complaints(with_command("type = \"oneshot\"\n[restart]\noverlap = false\n")), "");
  EXPECT_EQ(
      complaints(with_command("[restart]\noverlap = true\n[ready]\ntcp = \"localhost:80\"\n")),
      folded(R"(web.toml:4:1: `overlap` needs a readiness that the old process cannot answer \
for the new one: notify, descriptor, output, file or a command that looks at $MAINPID
    overlap = true
    ^^^^^^^
)"));
  EXPECT_EQ(complaints(with_command("type = \"forking\"\n[restart]\noverlap = true\n")),
            folded(R"(web.toml:5:1: `overlap` is for a simple or notify service, and this is a \
forking service
    overlap = true
    ^^^^^^^
)"));
}

TEST(SocketKeys, AGroupHasNone) {
  EXPECT_EQ(complaints("[service]\ntype = \"group\"\nstart = \"first-connection\"\n[[socket]]\n"
                       "listen = \"tcp://*:80\"\n"),
            R"(web.toml:3:1: a group runs nothing: it has no `start`
    start = "first-connection"
    ^^^^^
web.toml:4:1: a group runs nothing: it has no [[socket]]
    [[socket]]
    ^^^^^^^^^^
)");
}

TEST(SocketKeys, AcceptIsForTemplates) {
  EXPECT_EQ(complaints(with_socket("listen = \"tcp://*:7\"\naccept = true\n")),
            folded(R"(web.toml:5:1: `accept` is for templates, whose names end in @, such as \
worker@.toml
    accept = true
    ^^^^^^
)"));
  EXPECT_EQ(said_of({{"/u/echo@.toml", with_command(R"(start = "first-connection"
[restart]
policy = "always"
[[socket]]
listen = "udp://*:7"
accept = true
[[socket]]
name = "b"
listen = "tcp://*:7"
)")}}),
            folded(R"(/u/echo@.toml:3:1: `start` has no meaning with `accept`: there is an \
instance for each connection, which is not restarted
    start = "first-connection"
    ^^^^^
/u/echo@.toml:5:1: `policy` has no meaning with `accept`: there is an instance for each \
connection, which is not restarted
    policy = "always"
    ^^^^^^
/u/echo@.toml:8:1: `accept` is for sockets that are connected to: tcp, unix, unix-seqpacket and \
vsock, and this is udp://*:7
    accept = true
    ^^^^^^
/u/echo@.toml:9:1: foster accepts the connections of all sockets of a unit, or of none: `accept` \
is missing here
    [[socket]]
    ^^^^^^^^^^
)"));
}

TEST(Accept, ATemplateIsAUnitThatListensAndInstancesForTheConnections) {
  const std::string text =
      "description = \"Echo\"\n[depends]\nwants = [\"db\"]\n"
      "wanted-by = [\"db\"]\n" +
      with_socket(
          "listen = \"tcp://*:7\"\naccept = true\n"
          "max-connections = 3\n");
  const auto set = set_of({{"/u/echo@.toml", text}, {"/u/db.toml", with_command("")}});
  std::string names;
  for (const UnitSpec& unit : set->units())
    names += unit.name + " ";
  EXPECT_EQ(names, "db echo@ echo@1 echo@2 echo@3 ");
  const UnitSpec& listener = (*set)[*set->find("echo@")];
  EXPECT_TRUE(accepts_connections(listener));
  EXPECT_FALSE(serves_connections(listener));
  EXPECT_TRUE(starts_on_connection(listener));
  EXPECT_TRUE(listener.enabled);
  EXPECT_EQ(listener.description, "Echo");
  EXPECT_TRUE(listener.depends->wants.empty());
  EXPECT_EQ(listener.depends->wanted_by.size(), 1U);
  ASSERT_EQ(sockets_of(listener).size(), 1U);
  EXPECT_EQ(sockets_of(listener)[0].name, "echo");
  for (const UnitIndex index : set->matching("echo@?")) {
    const UnitSpec& instance = (*set)[index];
    EXPECT_FALSE(accepts_connections(instance));
    EXPECT_TRUE(serves_connections(instance));
    EXPECT_FALSE(starts_on_connection(instance));
    EXPECT_FALSE(instance.enabled);
    EXPECT_EQ(instance.restart.policy, RestartPolicy::never);
    EXPECT_TRUE(sockets_of(instance).empty());
    EXPECT_EQ(instance.depends->wants.size(), 1U);
    EXPECT_TRUE(instance.depends->wanted_by.empty());
  }
}

TEST(Accept, AFormerSetMayHaveHadMoreInstances) {
  const std::string text = with_socket(
      "listen = \"tcp://*:7\"\naccept = true\n"
      "max-connections = 2\n");
  EXPECT_EQ(set_of({{"/u/echo@.toml", text}}, {{{"echo", 1}}, false})->size(), 3U);
  EXPECT_EQ(set_of({{"/u/echo@.toml", text}}, {{{"echo", 5}}, false})->size(), 6U);
}

TEST(Accept, AnInstanceMayHaveAFileOrNone) {
  const std::string text = with_socket(
      "listen = \"tcp://*:7\"\naccept = true\n"
      "max-connections = 3\n");
  const auto set = set_of({{"/u/echo@.toml", text, 0},
                           {"/u/echo@1.toml", with_command(""), 0},
                           {"/u/echo@2.toml", "", 1}});
  EXPECT_FALSE(serves_connections((*set)[*set->find("echo@1")]));
  EXPECT_FALSE(set->find("echo@2"));
  EXPECT_TRUE(serves_connections((*set)[*set->find("echo@3")]));
}

SourceFile listener(const std::string& name, const std::string& socket) {
  return {name + ".toml", with_socket(socket)};
}

TEST(Listening, TwoUnitsAtOnePlace) {
  EXPECT_EQ(
      said_of({listener("a", "listen = \"tcp://*:80\"\n"),
               listener("b", "listen = \"tcp://127.0.0.1:80\"\n"),
               listener("c", "listen = \"unix:///run/x\"\n"),
               listener("d", "listen = \"unix:///run/x\"\n"),
               listener("e", "listen = \"tcp://*:81\"\n")}),
      folded(R"(b.toml:4:10: "a" listens at tcp://*:80, which is where tcp://127.0.0.1:80 is: \
reuse-port = true in both lets them share it, and `conflicts` says that only one of them is up at \
a time
    listen = "tcp://127.0.0.1:80"
             ^^^^^^^^^^^^^^^^^^^^
d.toml:4:10: "c" listens at unix:///run/x, too: `conflicts` says that only one of them is up at a \
time
    listen = "unix:///run/x"
             ^^^^^^^^^^^^^^^
)"));
}

TEST(Listening, ThoseThatShareOrAreNeverUpTogether) {
  const std::string shared = "listen = \"tcp://*:80\"\nreuse-port = true\n";
  EXPECT_EQ(said_of({listener("a", shared), listener("b", shared)}), "");
  const std::string socket = "listen = \"tcp://*:80\"\n";
  EXPECT_EQ(said_of({{"a.toml", "enabled = false\n" + with_socket(socket)},
                     listener("b", socket + "[depends]\nconflicts = [\"a\"]\n")}),
            "");
  EXPECT_EQ(said_of({listener("a", "listen = \"tcp://*:80\"\ndevice = \"eth0\"\n"),
                     listener("b", "listen = \"tcp://*:80\"\ndevice = \"eth1\"\n")}),
            "");
}

TEST(Listening, InstancesOfOneTemplateAreToldOnce) {
  EXPECT_EQ(said_of({{"w@.toml", "instances = 4\n" + with_socket("listen = \"tcp://*:80\"\n")}}),
            folded(R"(w@.toml:5:10: "w@1" listens at tcp://*:80, too: reuse-port = true in both \
lets them share it, and `conflicts` says that only one of them is up at a time
    listen = "tcp://*:80"
             ^^^^^^^^^^^^
)"));
  const auto set =
      set_of({{"w@.toml", "instances = 2\n" + with_socket("listen = \"tcp://*:800%i\"\n")}});
  EXPECT_EQ(sockets_of((*set)[{1}])[0].listen, "tcp://*:8002");
  EXPECT_EQ(sockets_of((*set)[{1}])[0].name, "w");
}

}  // namespace
}  // namespace foster
