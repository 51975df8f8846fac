// The first promise that was broken, as a sentence; shared by all that judge a run.
#pragma once

#include <string>
#include <string_view>

#include "common/unit/unit_set.hpp"

namespace foster::sim {

class Verdict {
 public:
  explicit Verdict(const UnitSet& set) : set_(set) {}

  void fail(std::string_view what) {
    if (violation_.empty()) violation_ = what;
  }
  void fail(UnitIndex unit, std::string_view what) {
    fail(set_[unit].name + ": " + std::string(what));
  }

  /// Empty while no promise was broken.
  [[nodiscard]] const std::string& violation() const { return violation_; }

 private:
  const UnitSet& set_;
  std::string violation_;
};

}  // namespace foster::sim
