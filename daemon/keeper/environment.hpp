// What fosterd itself was told by who started it.
#pragma once

namespace foster::keeper {

/// Null where it is not set.
[[nodiscard]] const char* environment_value(char** envp, const char* name);

}  // namespace foster::keeper
