// "Did you mean": the word of a list that a wrong one was most likely meant to be.
#pragma once

#include <span>
#include <string_view>

namespace foster {

/// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other. Case
/// and the difference between '-' and '_' do not count.
[[nodiscard]] size_t edit_distance(std::string_view one, std::string_view other);

/// The nearest of `words`, the first of equals; empty when even that one is too far off to be
/// meant.
[[nodiscard]] std::string_view nearest_word(std::string_view wrong,
                                            std::span<const std::string_view> words);

}  // namespace foster
