// Work that may take its time, the disk's above all, in a process of its own: the loop goes on
// meanwhile. One piece after the other, in the order they were asked for. The process is a copy of
// the manager as it is when the work begins, but for the descriptors, of which it has none; nothing
// of what the work changes comes back but its text.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <sys/types.h>

#include <systemd/sd-event.h>

#include "common/ipc/unique_fd.hpp"
#include "common/result.hpp"

namespace foster::manager {

class Background {
 public:
  /// In the process of its own: the text it leaves, or why it could not be done.
  using Work = std::function<Result<std::string>()>;
  /// In the manager, later: a sealed memfd with the text, or the error.
  using Done = std::function<void(Result<UniqueFd>)>;

  Background() = default;
  /// What is under way is ended; what waits is dropped.
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// The loop outlives this.
  void attach(sd_event* loop) { loop_ = loop; }

  /// `needs`: what is to be open for the work, looked at when it begins; borrowed until then.
  void run(Work work, Done done, const UniqueFd* needs = nullptr);
  [[nodiscard]] bool busy() const { return child_ > 0; }

 private:
  struct Piece {
    Work work;
    Done done;
    const UniqueFd* needs;
  };

  static int child_ended(sd_event_source* source, int fd, uint32_t events, void* self);
  static int child_did_not_begin(sd_event_source* source, void* self);
  void begin_next();
  Result<void> begin(const Piece& piece);
  void finish(Result<UniqueFd> outcome);

  sd_event* loop_ = nullptr;  // borrowed
  std::deque<Piece> pieces_;  // the first is under way
  pid_t child_ = 0;
  UniqueFd end_;  // the child's pidfd
  UniqueFd text_;
  Error failure_;  // of a piece that did not begin
  sd_event_source* source_ = nullptr;
};

/// The whole text of a memfd.
[[nodiscard]] Result<std::string> text_of(int memfd);

/// A sealed memfd with the text.
[[nodiscard]] Result<UniqueFd> memfd_with(const char* name, const std::string& text);

}  // namespace foster::manager
