// Which of the files that services and users give can be held. Closing one of a file system that
// asks a server waits for that server (the flush of fuse(4), nfs(5) and others), and each process
// that the keeper forks closes its copies when it executes: one dead server, and nothing starts any
// more. Nothing here asks the server itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/result.hpp"

namespace foster::manager {

/// A regular file or a directory.
[[nodiscard]] bool is_file(int fd);

/// "it is a file of fuse.sshfs, and closing it would wait for a server", also where the mount
/// cannot be seen from here.
[[nodiscard]] Result<void> can_be_held(int fd);

/// The type of a mount in a text as /proc/self/mountinfo (proc(5)) is one; empty where it has none
/// of this number.
[[nodiscard]] std::string_view mount_type(std::string_view mountinfo, int64_t mount);

/// Of a file system's type.
[[nodiscard]] bool asks_a_server(std::string_view type);

}  // namespace foster::manager
