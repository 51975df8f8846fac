// The one way in which fosterctl writes: buffered, so that a table is one write(2), and with every
// error seen. A reader that has gone away (EPIPE) is no error: it has what it wanted.
#pragma once

#include <string>
#include <string_view>

namespace foster::ctl {

class Output {
 public:
  explicit Output(int descriptor) : descriptor_(descriptor) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  void write(std::string_view text);
  void line(std::string_view text);

  /// Hands all that is buffered to the kernel. False when nobody takes it any more.
  bool flush();

  [[nodiscard]] int descriptor() const { return descriptor_; }

  /// The reader went away, or writing failed: whatever is written from now on is dropped.
  [[nodiscard]] bool closed() const { return closed_; }
  /// The errno of a write that failed; 0 when all went well or the reader went away.
  [[nodiscard]] int error() const { return error_; }

 private:
  void write_out(std::string_view text);

  int descriptor_;
  std::string buffer_;
  bool closed_ = false;
  int error_ = 0;
};

}  // namespace foster::ctl
