// The keeper's log: one line per call to stderr, in the same form as the manager's. A line is
// written only when stderr takes it at once: the keeper waits for nobody, and a stopped terminal or
// a full pipe must not keep it from reaping. What could not be written is counted and told later.
#pragma once

namespace foster::keeper {

enum class Level { info, warning, error };

/// printf(3)'s format; the text ends with fields as key=value.
[[gnu::format(printf, 2, 3)]] void log(Level level, const char* format, ...);

}  // namespace foster::keeper
