// Columns, as wide as what stands in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace foster::ctl {

enum class Colour : uint8_t { none, green, yellow, red, dim };

struct RenderOptions {
  bool colour = false;
  size_t columns = 0;  // of the terminal; 0: as wide as it comes
};

/// Text within the escape sequences of its colour, when there is to be any.
[[nodiscard]] std::string coloured(std::string_view text, Colour colour,
                                   const RenderOptions& options);

/// Filled cell by cell, row after row. All text is kept in one piece: a table may have thousands of
/// rows.
class Table {
 public:
  Table(std::initializer_list<std::string_view> headings);

  /// A column that is left out unless one of its rows has something to say, which "-" is not.
  void make_optional(size_t column) { optional_ = column; }

  /// The next cell. The text must be printable.
  void add(std::string_view text, Colour colour = Colour::none);

  /// Two spaces between columns, none at the end of a line. Where the terminal is too narrow, the
  /// last column is cut, then the first.
  [[nodiscard]] std::string render(const RenderOptions& options) const;

 private:
  struct Cell {
    uint32_t offset = 0;
    uint32_t size = 0;
    uint32_t width = 0;
    Colour colour = Colour::none;
  };

  void append_row(std::string& into, size_t first, const std::vector<size_t>& widths,
                  const RenderOptions& options) const;
  [[nodiscard]] std::vector<size_t> fitted_widths(size_t columns) const;
  [[nodiscard]] bool shown(size_t column) const { return column != optional_ || optional_filled_; }

  std::vector<size_t> widths_;  // of the columns
  size_t optional_ = SIZE_MAX;
  bool optional_filled_ = false;
  std::vector<Cell> cells_;
  std::string text_;
};

}  // namespace foster::ctl
