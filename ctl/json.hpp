// A look at the region as JSON for programs. The keys are documented in fosterctl(1) and stay: new
// ones may be added, none changes its meaning. Names ending in _us are microseconds: since 1970
// where a moment is meant, plain ones where a length is; null stands for "none" and "never".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/region/layout.h"
#include "ctl/explanation.hpp"
#include "ctl/held.hpp"
#include "ctl/snapshot.hpp"
#include "ctl/unit_graph.hpp"

namespace foster::ctl {

/// {"instance": ..., "manager": {...}, "keeper": {...}, "units": [...]}, with a newline; each unit
/// on a line of its own.
[[nodiscard]] std::string status_json(const Snapshot& snapshot);

/// [{"name": ..., "state": ...}, ...], indented, with a newline.
[[nodiscard]] std::string list_json(const Snapshot& snapshot);

/// [{"name": ..., "chain": [...], "remedies": [...]}, ...], indented, with a newline.
[[nodiscard]] std::string explanation_json(const UnitGraph& graph,
                                           const std::vector<Explanation>& explanations);

/// [{"name": ..., "next_us": ...}, ...], indented, with a newline.
[[nodiscard]] std::string timers_json(const Snapshot& snapshot);

/// [{"unit": ..., "name": ..., "origin": ...}, ...], indented, with a newline.
[[nodiscard]] std::string held_json(const std::vector<HeldEntry>& entries);

/// One object on one line, without a newline. `kind` is the value of "event".
[[nodiscard]] std::string event_json(const foster_event& event, std::string_view kind);

/// {"client": ..., "daemon": ...}, with a newline; an empty `daemon` becomes null.
[[nodiscard]] std::string version_json(std::string_view client, std::string_view daemon);

}  // namespace foster::ctl
