/* The services' own record of what they did, against which tests and benches hold foster's account.
 *
 * A journal is a file of fixed-size records. Each service appends with a single write(2) on a
 * descriptor opened with O_APPEND, so that records of any number of processes stand whole, in the
 * order in which they were written, whatever becomes of their writers. From Python:
 * struct.unpack("<qiIiI40s", ...).
 *
 * Whoever makes the journal may begin it with a header record, whose boot_ns is not a time but a
 * size in bytes. A `tiny` whose own record ends just there writes one byte into the FIFO
 * "<journal>.wake". That is how a measuring process sleeps until the last of a thousand services
 * has started, instead of being woken by each of them.
 */
#ifndef FOSTER_TESTS_SERVICES_JOURNAL_H
#define FOSTER_TESTS_SERVICES_JOURNAL_H

#include <stdint.h>

#define JOURNAL_ID_SIZE 40u

enum journal_kind {
  JOURNAL_START = 1,  /* the program began; value = 0 */
  JOURNAL_EXIT = 2,   /* it is about to end by itself; value = exit code */
  JOURNAL_SIGNAL = 3, /* it caught a signal and goes on; value = its number */
  JOURNAL_LAUNCH = 4, /* stamp-exec is about to execute a supervisor */
  JOURNAL_HEADER = 5
};

struct journal_record {
  int64_t boot_ns; /* CLOCK_BOOTTIME */
  int32_t pid;
  uint32_t kind; /* enum journal_kind */
  int32_t value;
  uint32_t reserved;
  char id[JOURNAL_ID_SIZE]; /* as given to the program, NUL-padded, cut if too long */
};

#endif
