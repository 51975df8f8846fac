// The whole text of a small file, without ever blocking: what is no regular file is refused unread,
// since to open a FIFO or a device may hang or do something.
#pragma once

#include <cstddef>
#include <string>

#include "common/result.hpp"

namespace foster {

/// At most `most` bytes; a longer file is an error. "cannot read PATH: why"; system_error is ENOENT
/// when there is no such file.
[[nodiscard]] Result<std::string> read_regular_file(const std::string& path, size_t most);

/// The same for a name within an open directory (AT_FDCWD: as usual). The message is "cannot read:
/// why", for those who have the path in front of it already.
[[nodiscard]] Result<std::string> read_regular_file_at(int directory, const char* name,
                                                       size_t most);

}  // namespace foster
