/* What all the test services but `tiny` share: their first two arguments and their records. */
#ifndef FOSTER_TESTS_SERVICES_SERVICE_H
#define FOSTER_TESTS_SERVICES_SERVICE_H

#include <stddef.h>

#include "journal.h"

/* Takes JOURNAL and ID from the command line, checks that at least `more` arguments follow them,
 * and records the start. A JOURNAL of "-" means that nothing is recorded. Ends the program with 64
 * and a usage line, or with 65 when the journal cannot be written. */
void service_begin(int argc, char** argv, int more, const char* usage);

/* Appends a record. Async-signal-safe. `id_suffix` may be null. */
void service_record(enum journal_kind kind, int value, const char* id_suffix);

/* Records the exit and ends the program. */
_Noreturn void service_exit(int code);

/* Sleeps that long, signals or not. */
void service_live_for_ms(long ms);

/* argv[3 + i] as a number of 0 or more; ends the program with 64 when it is none. */
long service_number(char** argv, int i);

/* Writes a file in one piece: who sees the name sees all of the content. Ends the program with 65
 * when that fails. */
void service_publish(const char* path, const char* text, size_t size);

#endif
