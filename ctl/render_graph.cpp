#include "ctl/render_graph.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "ctl/printable.hpp"
#include "ctl/reason.hpp"
#include "ctl/render.hpp"
#include "ctl/words.hpp"

namespace foster::ctl {
namespace {

/// A string of the DOT language, where a backslash begins an escape.
std::string quoted(std::string_view text) {
  std::string made = "\"";
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') made += '\\';
    made += c;
  }
  return made + "\"";
}

std::string_view fill_colour(uint8_t state) {
  switch (state_colour(state)) {
    case Colour::green:
      return "#c8e6c9";
    case Colour::yellow:
      return "#fff3c4";
    case Colour::red:
      return "#ffcdd2";
    case Colour::dim:
      return "#eceff1";
    case Colour::none:
      break;
  }
  return "#ffffff";
}

std::string_view edge_style(uint32_t kind) {
  switch (kind) {
    case FOSTER_EDGE_BINDS_TO:
      return ", penwidth=2";
    case FOSTER_EDGE_WANTS:
      return ", style=dashed";
    case FOSTER_EDGE_COMPLETED:
      return ", arrowhead=box";
    case FOSTER_EDGE_AFTER:
      return ", style=dotted";
    case FOSTER_EDGE_CONFLICTS:
      return ", dir=none, color=red";
    case FOSTER_EDGE_PART_OF:
      return ", arrowhead=diamond";
    default:
      return "";
  }
}

/// A conflict is there for each of its sides; one line shows it.
bool is_second_side(const foster_edge& edge) {
  return edge.kind == FOSTER_EDGE_CONFLICTS && edge.from > edge.to;
}

}  // namespace

std::string render_graph(const UnitGraph& graph, const std::vector<uint32_t>& units,
                         const RenderOptions& options) {
  std::string text;
  for (const uint32_t unit : units) {
    const UnitView& view = graph[unit];
    const Colour colour = state_colour(view.body.state);
    text +=
        printable(view.name) + "  " + coloured(printable(state_text(view)), colour, options) + "\n";
    for (const foster_edge& edge : graph.needs(unit)) {
      const UnitView& other = graph[edge.to];
      text += fmt::format(
          "  {:<9}  {}  {}\n", edge_word(edge.kind), printable(other.name),
          coloured(state_word(other.body.state), state_colour(other.body.state), options));
    }
  }
  return text;
}

std::string render_dot(const UnitGraph& graph, const std::vector<uint32_t>& units) {
  std::string text =
      "digraph foster {\n"
      "  rankdir=LR;\n"
      "  node [shape=box, style=\"rounded,filled\", fontname=\"sans-serif\"];\n"
      "  edge [fontname=\"sans-serif\", fontsize=10];\n";
  for (const uint32_t unit : units) {
    const UnitView& view = graph[unit];
    text += fmt::format("  {} [tooltip={}, fillcolor=\"{}\"];\n", quoted(view.name),
                        quoted(state_text(view)), fill_colour(view.body.state));
  }
  for (const uint32_t unit : units) {
    for (const foster_edge& edge : graph.needs(unit)) {
      if (is_second_side(edge) || !std::ranges::binary_search(units, edge.to)) continue;
      text += fmt::format("  {} -> {} [label=\"{}\"{}];\n", quoted(graph[edge.from].name),
                          quoted(graph[edge.to].name), edge_word(edge.kind), edge_style(edge.kind));
    }
  }
  return text + "}\n";
}

}  // namespace foster::ctl
