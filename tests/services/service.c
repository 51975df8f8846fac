#include "service.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int journal_fd = -1;
static const char* service_id = "";

void service_begin(int argc, char** argv, int more, const char* usage) {
  if (argc < 3 + more) {
    fprintf(stderr, "usage: %s JOURNAL ID %s\n", argv[0], usage);
    exit(64);
  }
  service_id = argv[2];
  if (strcmp(argv[1], "-") != 0) {
    journal_fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (journal_fd < 0) {
      fprintf(stderr, "%s: cannot open %s: %s\n", argv[0], argv[1], strerror(errno));
      exit(65);
    }
  }
  service_record(JOURNAL_START, 0, NULL);
}

void service_record(enum journal_kind kind, int value, const char* id_suffix) {
  if (journal_fd < 0) return;
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  struct journal_record record = {.boot_ns = now.tv_sec * 1000000000ll + now.tv_nsec,
                                  .pid = getpid(),
                                  .kind = kind,
                                  .value = value};
  size_t used = 0;
  for (const char* c = service_id; *c && used + 1 < JOURNAL_ID_SIZE; c++)
    record.id[used++] = *c;
  for (const char* c = id_suffix; c && *c && used + 1 < JOURNAL_ID_SIZE; c++)
    record.id[used++] = *c;
  if (write(journal_fd, &record, sizeof record) != sizeof record) _exit(65);
}

_Noreturn void service_exit(int code) {
  service_record(JOURNAL_EXIT, code, NULL);
  _exit(code);
}

void service_live_for_ms(long ms) {
  struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

long service_number(char** argv, int i) {
  char* end = NULL;
  long number = strtol(argv[3 + i], &end, 10);
  if (*argv[3 + i] == '\0' || *end != '\0' || number < 0) {
    fprintf(stderr, "%s: not a number: %s\n", argv[0], argv[3 + i]);
    exit(64);
  }
  return number;
}

void service_publish(const char* path, const char* text, size_t size) {
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "%s.new", path);
  int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, text, size) != (ssize_t)size || close(fd) != 0 ||
      rename(temporary, path) != 0) {
    fprintf(stderr, "cannot write %s: %s\n", path, strerror(errno));
    _exit(65);
  }
}
