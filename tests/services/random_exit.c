/* random-exit JOURNAL ID MIN_MS MAX_MS [MAX_CODE]: lives for a random time, then ends with a random
 * code of 0 to MAX_CODE (0 when it is not given). */
#include <stdint.h>
#include <sys/random.h>

#include "service.h"

static long random_between(long low, long high) {
  uint64_t bits = 0;
  if (high <= low || getrandom(&bits, sizeof bits, 0) != sizeof bits) return low;
  return low + (long)(bits % (uint64_t)(high - low + 1));
}

int main(int argc, char** argv) {
  service_begin(argc, argv, 2, "MIN_MS MAX_MS [MAX_CODE]");
  service_live_for_ms(random_between(service_number(argv, 0), service_number(argv, 1)));
  service_exit(argc > 5 ? (int)random_between(0, service_number(argv, 2)) : 0);
}
