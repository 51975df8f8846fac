// The services of the keeper's tests: each mode looks at one thing that a service may depend on and
// says what it found on stdout, or dies in one certain way.
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char** environ;

static void say(const char* text) {
  printf("%s\n", text);
  fflush(stdout);
}

static void print_environment(void) {
  for (char** at = environ; *at != NULL; ++at)
    printf("%s\n", *at);
  say("end");
}

static void print_descriptors(void) {
  DIR* folder = opendir("/proc/self/fd");
  for (struct dirent* entry; (entry = readdir(folder)) != NULL;)
    if (entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(folder))
      printf("%s\n", entry->d_name);
  say("end");
}

static void print_signals(void) {
  FILE* status = fopen("/proc/self/status", "r");
  char line[256];
  while (fgets(line, sizeof line, status) != NULL)
    if (strncmp(line, "SigBlk", 6) == 0 || strncmp(line, "SigIgn", 6) == 0) fputs(line, stdout);
  say("end");
}

static void print_place(void) {
  char folder[4096];
  struct rlimit limit;
  int death_signal = 0;
  char byte;
  getrlimit(RLIMIT_NOFILE, &limit);
  prctl(PR_GET_PDEATHSIG, &death_signal);
  const mode_t mask = umask(0);
  printf("directory=%s\n", getcwd(folder, sizeof folder));
  printf("umask=%03o\n", (unsigned)mask);
  printf("uid=%d gid=%d groups=%d\n", (int)getuid(), (int)getgid(), getgroups(0, NULL));
  printf("leads_session=%d leads_group=%d\n", getsid(0) == getpid(), getpgrp() == getpid());
  printf("descriptors=%lu\n", (unsigned long)limit.rlim_cur);
  printf("death_signal=%d\n", death_signal);
  printf("stdin_bytes=%d\n", (int)read(0, &byte, 1));
  say("end");
}

static void stay(void) {
  say("here");
  for (;;)
    pause();
}

static void ignore_and_stay(int signal_number) {
  signal(signal_number, SIG_IGN);
  stay();
}

// Leaves someone of its group behind.
static void leave_one(void) {
  if (fork() == 0) {
    printf("left %d\n", (int)getpid());
    fflush(stdout);
    for (;;)
      pause();
  }
  pause();
}

// A daemon of the old kind: its own session, its parents gone.
static void leave_daemon(void) {
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      signal(SIGTERM, SIG_DFL);
      printf("daemon %d\n", (int)getpid());
      fflush(stdout);
      for (;;)
        pause();
    }
    _exit(0);
  }
  for (;;)
    pause();
}

// Waits until its parent is gone and another has taken it over.
static void wait_for_new_parent(pid_t parent) {
  sigset_t orphaned;
  int signal_number;
  sigemptyset(&orphaned);
  sigaddset(&orphaned, SIGUSR1);
  sigprocmask(SIG_BLOCK, &orphaned, NULL);
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  if (getppid() == parent) sigwait(&orphaned, &signal_number);
  prctl(PR_SET_PDEATHSIG, 0);
}

// What a forking service does: a daemon is left, and the command ends. With a `code` the daemon
// ends at once, otherwise it stays, and says so once it is the keeper's.
static void daemonize(int own_session, int leave_another, int code) {
  const pid_t parent = getpid();
  int set_up[2];
  char nothing;
  if (pipe(set_up) != 0) return;
  if (fork() != 0) {
    close(set_up[1]);
    (void)!read(set_up[0], &nothing, 1);
    return;
  }
  if (own_session) setsid();
  close(set_up[1]);
  wait_for_new_parent(parent);
  if (leave_another && fork() == 0)
    for (;;)
      pause();
  printf("daemon %d\n", (int)getpid());
  fflush(stdout);
  if (code > 0) _exit(code);
  for (;;)
    pause();
}

// A daemon that ends its starter first and then makes a session of its own, with another process.
static void daemonize_late(void) {
  const pid_t parent = getpid();
  sigset_t asked;
  int signal_number;
  sigemptyset(&asked);
  sigaddset(&asked, SIGUSR2);
  sigprocmask(SIG_BLOCK, &asked, NULL);
  if (fork() != 0) return;
  wait_for_new_parent(parent);
  printf("daemon %d\n", (int)getpid());
  fflush(stdout);
  sigwait(&asked, &signal_number);
  setsid();
  const pid_t other = fork();
  if (other != 0) {
    printf("other %d\n", (int)other);
    fflush(stdout);
  }
  for (;;)
    pause();
}

static void print_contents(void) {
  for (int fd = 3; fd < 400; ++fd) {
    char text[64] = {0};
    if (read(fd, text, sizeof text - 1) >= 0) printf("%d: %s\n", fd, text);
  }
  say("end");
}

static void print_pids(void) {
  printf("pid %d\n", (int)getpid());
  print_environment();
}

static void leave_orphans(int count) {
  for (int i = 0; i < count; ++i) {
    if (fork() != 0) continue;
    if (fork() == 0) _exit(0);
    _exit(0);
  }
}

static void burn(void) {
  struct rusage usage;
  do
    getrusage(RUSAGE_SELF, &usage);
  while (usage.ru_utime.tv_sec * 1000000L + usage.ru_utime.tv_usec < 20000);
}

int main(int argc, char** argv) {
  const char* mode = argc > 1 ? argv[1] : "";
  const int value = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(mode, "environment") == 0) print_environment();
  if (strcmp(mode, "descriptors") == 0) print_descriptors();
  if (strcmp(mode, "signals") == 0) print_signals();
  if (strcmp(mode, "place") == 0) print_place();
  if (strcmp(mode, "stay") == 0) stay();
  if (strcmp(mode, "stay-silent") == 0) pause();
  if (strcmp(mode, "ignore") == 0) ignore_and_stay(value);
  if (strcmp(mode, "leave-one") == 0) leave_one();
  if (strcmp(mode, "leave-daemon") == 0) leave_daemon();
  if (strcmp(mode, "daemon") == 0) daemonize(1, 0, value);
  if (strcmp(mode, "daemon-in-group") == 0) daemonize(0, 0, value);
  if (strcmp(mode, "daemon-with-another") == 0) daemonize(1, 1, value);
  if (strcmp(mode, "daemon-late") == 0) daemonize_late();
  if (strcmp(mode, "contents") == 0) print_contents();
  if (strcmp(mode, "pids") == 0) print_pids();
  if (strcmp(mode, "leave-orphans") == 0) leave_orphans(value);
  if (strcmp(mode, "abort") == 0) abort();
  if (strcmp(mode, "burn") == 0) burn();
  if (strcmp(mode, "exit") == 0) return value;
  return 0;
}
