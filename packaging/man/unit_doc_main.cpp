// Prints the KEYS section of the manual page foster.unit(5) when the project is built.

#include <cstdio>

#include "common/unit/unit_doc.hpp"

int main() {
  const bool written = std::fputs(foster::unit_keys_roff().c_str(), stdout) >= 0;
  return written && std::fflush(stdout) == 0 ? 0 : 1;
}
