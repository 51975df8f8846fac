#include "ctl/table.hpp"

#include <algorithm>
#include <numeric>

#include "ctl/printable.hpp"

namespace foster::ctl {
namespace {

constexpr size_t kGap = 2;
// Narrower than this, a column says nothing any more: the line is then left too long.
constexpr size_t kFirstColumnMin = 8;
constexpr size_t kLastColumnMin = 4;

std::vector<size_t> natural_widths(const std::vector<Row>& rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const Row& row : rows) {
    for (size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], display_width(row[i].text));
  }
  return widths;
}

void shrink(size_t& width, size_t& excess, size_t least) {
  const size_t taken = std::min(excess, width > least ? width - least : 0);
  width -= taken;
  excess -= taken;
}

void fit(std::vector<size_t>& widths, size_t columns) {
  const size_t total =
      std::accumulate(widths.begin(), widths.end(), size_t{0}) + kGap * (widths.size() - 1);
  if (columns == 0 || total <= columns) return;
  size_t excess = total - columns;
  shrink(widths.back(), excess, kLastColumnMin);
  shrink(widths.front(), excess, kFirstColumnMin);
}

void append_row(std::string& into, const Row& row, const std::vector<size_t>& widths,
                const RenderOptions& options) {
  size_t last = row.size();
  while (last > 1 && row[last - 1].text.empty())
    --last;
  for (size_t i = 0; i < last; ++i) {
    const bool fits = display_width(row[i].text) <= widths[i];
    const std::string cut = fits ? std::string() : shortened(row[i].text, widths[i]);
    const std::string_view text = fits ? row[i].text : cut;
    into += coloured(text, row[i].colour, options);
    if (i + 1 < last) into.append(widths[i] - display_width(text) + kGap, ' ');
  }
  into += '\n';
}

}  // namespace

std::string coloured(std::string_view text, Colour colour, const RenderOptions& options) {
  static constexpr std::string_view kStart[] = {"", "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m"};
  if (!options.colour || colour == Colour::none || text.empty()) return std::string(text);
  return std::string(kStart[static_cast<size_t>(colour)]).append(text).append("\x1b[0m");
}

std::string render_table(const std::vector<Row>& rows, const RenderOptions& options) {
  if (rows.empty()) return {};
  std::vector<size_t> widths = natural_widths(rows);
  fit(widths, options.columns);
  std::string text;
  for (const Row& row : rows)
    append_row(text, row, widths, options);
  return text;
}

}  // namespace foster::ctl
