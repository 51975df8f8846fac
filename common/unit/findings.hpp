// Collects what is found wrong with one file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/unit/diagnostic.hpp"
#include "common/unit/source_text.hpp"

namespace foster {

class Findings {
 public:
  /// Both must outlive it.
  Findings(std::string_view path, std::string_view text) : path_(path), text_(text) {}

  void report(Place place, std::string message) {
    diagnostics_.push_back(diagnostic_at(path_, text_, place, std::move(message)));
  }
  void add(std::vector<Diagnostic> more) {
    for (Diagnostic& diagnostic : more)
      diagnostics_.push_back(std::move(diagnostic));
  }

  [[nodiscard]] bool empty() const { return diagnostics_.empty(); }
  [[nodiscard]] size_t size() const { return diagnostics_.size(); }
  [[nodiscard]] std::string_view text() const { return text_; }
  [[nodiscard]] std::vector<Diagnostic> take() { return std::move(diagnostics_); }

 private:
  std::string_view path_;
  std::string_view text_;
  std::vector<Diagnostic> diagnostics_;
};

}  // namespace foster
