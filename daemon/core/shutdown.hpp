// Whether the daemon is to end, why, and with which code. It begins once: by a request, or because
// an essential unit is gone for good. The first code stays. A second request hurries: SIGKILL at
// once. A shutdown that an essential unit began has not been asked for yet, so the first request
// leaves it as it is. What SIGKILL does not end, waiting for a device perhaps for ever, does not
// hold up the end of one that was hurried for longer than kHurriedAtMost: the keeper sees to the
// rest.
#pragma once

#include <chrono>
#include <optional>

#include "common/instant.hpp"

namespace foster::core {

class Shutdown {
 public:
  enum class Step { begin, hurry, wait };

  /// A shutdown that a former manager had begun. Whether it was by request is not known any more;
  /// it is taken to have been, so that nobody has to ask three times.
  void resume(int exit_code);

  static constexpr Duration kHurriedAtMost = std::chrono::seconds(10);

  /// What a request for it leads to.
  Step requested(int exit_code, Instant now);

  /// An essential unit is gone for good. True when that begins the shutdown.
  bool essential_gone(int exit_code);

  /// True once: everything is stopped, and now is the time to say so.
  bool end();

  /// When it ends whatever is left; nothing while nobody has hurried it.
  [[nodiscard]] std::optional<Instant> last_moment() const { return last_moment_; }

  [[nodiscard]] bool under_way() const { return under_way_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] int exit_code() const { return exit_code_; }

 private:
  bool under_way_ = false;
  bool by_request_ = false;
  bool ended_ = false;
  std::optional<Instant> last_moment_;
  int exit_code_ = 0;
};

}  // namespace foster::core
