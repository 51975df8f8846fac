/* print-env JOURNAL ID FILE: writes its environment, a line per variable, to FILE and ends with 0.
 */
#include <string.h>
#include <unistd.h>

#include "service.h"

int main(int argc, char** argv) {
  static char text[1 << 20];
  size_t used = 0;
  service_begin(argc, argv, 1, "FILE");
  for (char** entry = environ; *entry; entry++) {
    const size_t size = strlen(*entry);
    if (used + size + 1 > sizeof text) service_exit(66);
    memcpy(text + used, *entry, size);
    text[used + size] = '\n';
    used += size + 1;
  }
  service_publish(argv[3], text, used);
  service_exit(0);
}
