#include <gtest/gtest.h>

#include "ctl/requester.hpp"

namespace foster::ctl {
namespace {

using Paths = std::vector<std::string>;

TEST(ControlSocket, IsWhereTheDaemonPutsIt) {
  Environment user{.uid = 1000, .xdg_runtime_dir = "/run/user/1000"};
  EXPECT_EQ(control_socket_candidates("user-1000.a", "", user),
            (Paths{"/run/user/1000/foster/user-1000.a/control",
                   "/dev/shm/foster-1000/user-1000.a/control"}));
  EXPECT_EQ(control_socket_candidates("system", "", user),
            (Paths{"/run/foster/system/control", "/dev/shm/foster-0/system/control"}));
}

TEST(ControlSocket, IsAlsoLookedForWhereTheSystemKeepsRuntimeDirectories) {
  Environment root{.uid = 0, .xdg_runtime_dir = "/run/user/0"};
  EXPECT_EQ(control_socket_candidates("user-1000", "", root),
            (Paths{"/run/user/0/foster/user-1000/control", "/dev/shm/foster-1000/user-1000/control",
                   "/run/user/1000/foster/user-1000/control"}));
}

TEST(ControlSocket, IsInTheDirectoryThatWasNamed) {
  EXPECT_EQ(control_socket_candidates("system", "/tmp/x", {}), Paths{"/tmp/x/control"});
}

}  // namespace
}  // namespace foster::ctl
