/* stamp-exec JOURNAL SIGNAL COMMAND ARGS...: appends the time to JOURNAL and executes COMMAND.
 * SIGNAL is what COMMAND gets when the bench dies without having been able to clean up. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "tests/services/journal.h"

int main(int argc, char** argv) {
  if (argc < 4) {
    fprintf(stderr, "usage: stamp-exec JOURNAL SIGNAL COMMAND ARGS...\n");
    return 64;
  }
  const int fd = open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC);
  struct timespec now;
  struct journal_record record = {.pid = getpid(), .kind = JOURNAL_LAUNCH};
  prctl(PR_SET_PDEATHSIG, atoi(argv[2]));
  clock_gettime(CLOCK_BOOTTIME, &now);
  record.boot_ns = now.tv_sec * 1000000000ll + now.tv_nsec;
  if (write(fd, &record, sizeof record) != sizeof record) {
    perror(argv[1]);
    return 65;
  }
  execv(argv[3], argv + 3);
  perror(argv[3]);
  return 127;
}
