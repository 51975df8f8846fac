/* The last bytes of a service's output, in a file of fixed size below the runtime directory:
 * output/<unit>. Written by foster-tap through a shared mapping while the service runs, read by
 * fosterctl for `why`. A reader may see a line that is being overwritten: this is for people. */
#ifndef FOSTER_OUTPUT_TAIL_H
#define FOSTER_OUTPUT_TAIL_H

#include <stdint.h>

#define FOSTER_TAIL_MAGIC 0x314c494154534f46ull /* "FOSTAIL1" in memory order */
#define FOSTER_TAIL_BYTES 16320u

struct foster_output_tail {
  uint64_t magic;
  uint64_t written; /* bytes ever written; byte n stands at bytes[n % FOSTER_TAIL_BYTES] */
  uint64_t reserved[6];
  char bytes[FOSTER_TAIL_BYTES];
};

#endif
