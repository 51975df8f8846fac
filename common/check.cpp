#include "common/check.hpp"

#include <cstdlib>
#include <cstring>
#include <unistd.h>

namespace foster {
namespace {

void put(const char* text) {
  // There is nobody left to tell when this write fails: the abort follows either way.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text, std::strlen(text));
}

}  // namespace

void check_failed(const char* expression, const char* file, int line) {
  char digits[16];
  char* end = digits + sizeof digits - 1;
  *end = '\0';
  do {
    *--end = static_cast<char>('0' + line % 10);
    line /= 10;
  } while (line > 0);
  put("foster: broken invariant: ");
  put(expression);
  put(" at ");
  put(file);
  put(":");
  put(end);
  put("\n");
  std::abort();
}

}  // namespace foster
