// Columns, as wide as what stands in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace foster::ctl {

enum class Colour : uint8_t { none, green, yellow, red, dim };

struct Cell {
  std::string text;  // printable
  Colour colour = Colour::none;
};

using Row = std::vector<Cell>;

struct RenderOptions {
  bool colour = false;
  size_t columns = 0;  // of the terminal; 0: as wide as it comes
};

/// Text within the escape sequences of its colour, when there is to be any.
[[nodiscard]] std::string coloured(std::string_view text, Colour colour,
                                   const RenderOptions& options);

/// The rows, the first of them the headings, all of one length. Two spaces between columns, none at
/// the end of a line. Where the terminal is too narrow, the last column is cut, then the first.
[[nodiscard]] std::string render_table(const std::vector<Row>& rows, const RenderOptions& options);

}  // namespace foster::ctl
