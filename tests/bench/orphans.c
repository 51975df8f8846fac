/* orphans [JOURNAL ID]: a service that leaves COUNT orphans (the file "orphans" beside the journal
 * says how many) to PID 1, lets them all end at once, and records a start when they are let go and
 * an exit when the last has been reaped. That is known without asking again and again: since
 * Linux 6.9 a pidfd reports POLLHUP once its process has been reaped. Arguments and their absence
 * mean what they mean to `tiny`. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/services/journal.h"

static _Noreturn void fail(const char* what) {
  perror(what);
  exit(66);
}

static void record(const char* journal, enum journal_kind kind) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  struct journal_record entry = {.boot_ns = now.tv_sec * 1000000000ll + now.tv_nsec,
                                 .pid = getpid(),
                                 .kind = kind,
                                 .id = "orphans"};
  const int fd = open(journal, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (write(fd, &entry, sizeof entry) != sizeof entry) fail(journal);
  close(fd);
}

static int read_count(const char* journal) {
  char path[4096];
  int count = 0;
  snprintf(path, sizeof path, "%.*s/orphans", (int)(strlen(journal) - strlen("/journal")), journal);
  FILE* file = fopen(path, "r");
  if (!file || fscanf(file, "%d", &count) != 1 || count < 1) fail(path);
  fclose(file);
  return count;
}

/* The orphans' mother, who leaves them: each waits until nobody holds the gate open any more. */
static _Noreturn void bear(int count, const int gate[2], pid_t* pids) {
  close(gate[1]);
  for (int i = 0; i < count; i++) {
    char nothing;
    const pid_t orphan = fork();
    if (orphan == 0) _exit(read(gate[0], &nothing, 1) != 0);
    if (orphan < 0) _exit(1);
    pids[i] = orphan;
  }
  _exit(0);
}

static void watch(int count, const pid_t* pids, int events) {
  for (int i = 0; i < count; i++) {
    struct epoll_event event = {.events = 0}; /* EPOLLHUP is always reported */
    const int fd = (int)syscall(SYS_pidfd_open, pids[i], 0);
    event.data.fd = fd;
    if (fd < 0 || epoll_ctl(events, EPOLL_CTL_ADD, fd, &event) != 0) fail("pidfd_open");
  }
}

static void wait_until_reaped(int count, int events) {
  struct epoll_event reaped[256];
  for (int left = count; left > 0;) {
    const int found = epoll_wait(events, reaped, 256, -1);
    for (int i = 0; i < found; i++)
      close(reaped[i].data.fd);
    if (found > 0) left -= found;
  }
}

int main(int argc, char** argv) {
  const char* journal = argc >= 3 ? argv[1] : "../../journal";
  const int count = read_count(journal);
  int gate[2];
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  pid_t* pids = mmap(NULL, (size_t)count * sizeof *pids, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  const int events = epoll_create1(EPOLL_CLOEXEC);
  if (pids == MAP_FAILED || pipe2(gate, O_CLOEXEC) != 0 || events < 0) fail("cannot begin");
  const pid_t mother = fork();
  if (mother == 0) bear(count, gate, pids);
  int status = 0;
  if (waitpid(mother, &status, 0) != mother || status != 0) fail("cannot fork");
  watch(count, pids, events);
  record(journal, JOURNAL_START);
  close(gate[1]);
  wait_until_reaped(count, events);
  record(journal, JOURNAL_EXIT);
  char wake[4096];
  snprintf(wake, sizeof wake, "%s.wake", journal);
  const int fd = open(wake, O_WRONLY | O_NONBLOCK);
  if (write(fd, "", 1) != 1) fail(wake);
  for (;;)
    pause();
}
