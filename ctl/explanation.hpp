// The chain of causes from a unit down to its root, and what would change it. Pure functions of one
// look at the region.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ctl/snapshot.hpp"
#include "ctl/unit_graph.hpp"

namespace foster::ctl {

/// A unit of the chain. It is what holds back, or brought down, the one before it of lesser depth.
struct Link {
  uint32_t unit = 0;
  uint32_t depth = 0;
  std::optional<uint32_t> edge;        // how the one above depends on it, enum foster_edge_kind
  bool repeated = false;               // it stands in the chain already
  std::vector<std::string> sentences;  // the first is about its state
  std::vector<std::string> output;     // its last lines, where they are kept
};

/// Something that would change the state of affairs.
struct Remedy {
  std::string command;  // empty: it comes by itself, or needs another file
  std::string text;
  bool operator==(const Remedy&) const = default;
};

struct Explanation {
  std::vector<Link> chain;  // the unit that was asked about first
  std::vector<Remedy> remedies;
};

[[nodiscard]] Explanation explain(const UnitGraph& graph, uint32_t unit, const DaemonView& daemon);

/// With a line for each sentence, deeper ones indented.
[[nodiscard]] std::string render_chain(const Explanation& explanation);
[[nodiscard]] std::string render_explanation(const Explanation& explanation);

}  // namespace foster::ctl
