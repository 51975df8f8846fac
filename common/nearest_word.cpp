#include "common/nearest_word.hpp"

#include <algorithm>
#include <vector>

namespace foster {
namespace {

// Nobody misspells longer words than these, and the distance takes time in the square of the
// length.
constexpr size_t kLongestWord = 64;

char folded(char c) {
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
  return c == '_' ? '-' : c;
}

}  // namespace

size_t edit_distance(std::string_view one, std::string_view other) {
  const size_t width = other.size() + 1;
  std::vector<size_t> before(width);
  std::vector<size_t> above(width);
  std::vector<size_t> row(width);
  for (size_t j = 0; j < width; ++j)
    above[j] = j;
  for (size_t i = 1; i <= one.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j < width; ++j) {
      const char a = folded(one[i - 1]);
      const char b = folded(other[j - 1]);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a == b ? 0 : 1)});
      if (i > 1 && j > 1 && a == folded(other[j - 2]) && folded(one[i - 2]) == b)
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, above);
    std::swap(above, row);
  }
  return above[other.size()];
}

std::string_view nearest_word(std::string_view wrong, std::span<const std::string_view> words) {
  if (wrong.empty() || wrong.size() > kLongestWord) return {};
  std::string_view best;
  size_t best_distance = std::max<size_t>(1, wrong.size() / 3) + 1;
  for (const std::string_view word : words) {
    const size_t distance = edit_distance(wrong, word);
    if (distance >= best_distance || distance >= word.size()) continue;
    best = word;
    best_distance = distance;
  }
  return best;
}

}  // namespace foster
