#include "ctl/table.hpp"

#include <algorithm>

#include "ctl/printable.hpp"

namespace foster::ctl {
namespace {

constexpr size_t kGap = 2;
// Narrower than this, a column says nothing any more: the line is then left too long.
constexpr size_t kFirstColumnMin = 8;
constexpr size_t kLastColumnMin = 4;

void shrink(size_t& width, size_t& excess, size_t least) {
  const size_t taken = std::min(excess, width > least ? width - least : 0);
  width -= taken;
  excess -= taken;
}

void append_coloured(std::string& into, std::string_view text, Colour colour,
                     const RenderOptions& options) {
  static constexpr std::string_view kStart[] = {"", "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m"};
  const bool plain = !options.colour || colour == Colour::none || text.empty();
  if (!plain) into += kStart[static_cast<size_t>(colour)];
  into += text;
  if (!plain) into += "\x1b[0m";
}

}  // namespace

std::string coloured(std::string_view text, Colour colour, const RenderOptions& options) {
  std::string made;
  append_coloured(made, text, colour, options);
  return made;
}

Table::Table(std::initializer_list<std::string_view> headings) : widths_(headings.size()) {
  for (const std::string_view heading : headings)
    add(heading);
}

void Table::add(std::string_view text, Colour colour) {
  size_t& column_width = widths_[cells_.size() % widths_.size()];
  const size_t width = display_width(text);
  const bool heading = cells_.size() < widths_.size();
  if (!heading && cells_.size() % widths_.size() == optional_ && text != "-" && !text.empty())
    optional_filled_ = true;
  column_width = std::max(column_width, width);
  cells_.push_back({.offset = static_cast<uint32_t>(text_.size()),
                    .size = static_cast<uint32_t>(text.size()),
                    .width = static_cast<uint32_t>(width),
                    .colour = colour});
  text_ += text;
}

std::vector<size_t> Table::fitted_widths(size_t columns) const {
  std::vector<size_t> widths = widths_;
  size_t total = 0;
  for (size_t i = 0; i < widths.size(); ++i)
    total += shown(i) ? widths[i] + (i > 0 ? kGap : 0) : 0;
  if (columns == 0 || total <= columns) return widths;
  size_t excess = total - columns;
  shrink(widths.back(), excess, kLastColumnMin);
  shrink(widths.front(), excess, kFirstColumnMin);
  return widths;
}

void Table::append_row(std::string& into, size_t first, const std::vector<size_t>& widths,
                       const RenderOptions& options) const {
  size_t count = widths.size();
  while (count > 1 && cells_[first + count - 1].size == 0)
    --count;
  for (size_t i = 0; i < count; ++i) {
    if (!shown(i)) continue;
    const Cell& cell = cells_[first + i];
    const std::string_view text = std::string_view(text_).substr(cell.offset, cell.size);
    if (cell.width <= widths[i]) {
      append_coloured(into, text, cell.colour, options);
    } else {
      append_coloured(into, shortened(text, widths[i]), cell.colour, options);
    }
    const size_t filled = std::min<size_t>(cell.width, widths[i]);
    if (i + 1 < count) into.append(widths[i] - filled + kGap, ' ');
  }
  into += '\n';
}

std::string Table::render(const RenderOptions& options) const {
  const std::vector<size_t> widths = fitted_widths(options.columns);
  std::string text;
  text.reserve(text_.size() + cells_.size() * (kGap + 4));
  for (size_t first = 0; first + widths.size() <= cells_.size(); first += widths.size())
    append_row(text, first, widths, options);
  return text;
}

}  // namespace foster::ctl
