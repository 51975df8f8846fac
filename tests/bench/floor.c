/* floor COUNT SERVICE JOURNAL: the least that supervising COUNT services can cost. Starts them,
 * starts each again when it ends, and on SIGTERM ends them all and itself. Per service: fork; in
 * the child sigprocmask, setsid, execve; for a death sigwaitinfo and waitpid. No failure reports,
 * no state, no logic: what foster takes beyond this, it takes for what it does beyond this. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kCountMax = 100000 };

static pid_t pids[kCountMax];
static const char* service;
static const char* journal;
static sigset_t watched;

static _Noreturn void execute(int number) {
  static char* const environment[] = {"PATH=/usr/bin:/bin", NULL};
  char id[16];
  snprintf(id, sizeof id, "n%04d", number);
  char* const arguments[] = {(char*)service, (char*)journal, id, NULL};
  sigprocmask(SIG_UNBLOCK, &watched, NULL);
  setsid();
  execve(service, arguments, environment);
  _exit(127);
}

static void start(int number) {
  pids[number] = fork();
  if (pids[number] == 0) execute(number);
}

static void restart_ended(int count) {
  pid_t ended = 0;
  while ((ended = waitpid(-1, NULL, WNOHANG)) > 0) {
    int number = 0;
    while (number < count && pids[number] != ended)
      number++;
    if (number < count) start(number);
  }
}

static void stop_all(int count) {
  for (int number = 0; number < count; number++)
    kill(pids[number], SIGTERM);
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {
  }
}

int main(int argc, char** argv) {
  const int count = argc == 4 ? atoi(argv[1]) : 0;
  if (count < 1 || count > kCountMax) {
    fprintf(stderr, "usage: floor COUNT SERVICE JOURNAL\n");
    return 64;
  }
  service = argv[2];
  journal = argv[3];
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigaddset(&watched, SIGTERM);
  sigprocmask(SIG_BLOCK, &watched, NULL);
  for (int number = 0; number < count; number++)
    start(number);
  while (sigwaitinfo(&watched, NULL) != SIGTERM)
    restart_ended(count);
  stop_all(count);
  return 0;
}
