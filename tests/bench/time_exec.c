/* time-exec TIMES BUDGET_MS [-e FILE] COMMAND ARGS...: runs COMMAND up to TIMES times, or until
 * BUDGET_MS are used up, and writes the nanoseconds from fork to the reaped exit of each run on a
 * line. With -e, one run is COMMAND once for each line of FILE, "{}" among its arguments being the
 * line. COMMAND is a path; its output goes to /dev/null. The bench is a large process, and forking
 * it would be most of what is measured; this one is small. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { kLinesMax = 100000, kArgumentsMax = 4096 };

static char* lines[kLinesMax];
static int line_count = 0;

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static void read_lines(const char* path) {
  FILE* file = fopen(path, "r");
  size_t room = 0;
  if (!file) {
    perror(path);
    exit(65);
  }
  while (line_count < kLinesMax && getline(&lines[line_count], &room, file) > 0) {
    lines[line_count][strcspn(lines[line_count], "\n")] = '\0';
    line_count++;
    room = 0;
  }
  fclose(file);
}

static void run_once(char** command, int output) {
  int status = 0;
  const pid_t pid = vfork();
  if (pid == 0) {
    dup2(output, 1);
    dup2(output, 2);
    execv(command[0], command);
    _exit(127);
  }
  if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
    fprintf(stderr, "%s: wait status %#x\n", command[0], (unsigned)status);
    exit(1);
  }
}

static void run_for_each_line(char** command, int output) {
  char* arguments[kArgumentsMax + 1] = {NULL};
  for (int line = 0; line < line_count; line++) {
    for (int i = 0; i < kArgumentsMax && command[i]; i++) {
      arguments[i] = strcmp(command[i], "{}") == 0 ? lines[line] : command[i];
    }
    run_once(arguments, output);
  }
}

int main(int argc, char** argv) {
  int first = 3;
  if (argc > 5 && strcmp(argv[3], "-e") == 0) {
    read_lines(argv[4]);
    first = 5;
  }
  if (argc <= first || argc - first > kArgumentsMax) {
    fprintf(stderr, "usage: time-exec TIMES BUDGET_MS [-e FILE] COMMAND ARGS...\n");
    return 64;
  }
  const int output = open("/dev/null", O_WRONLY | O_CLOEXEC);
  const int64_t end = now_ns() + atoll(argv[2]) * 1000000;
  for (int i = 0; i < atoi(argv[1]) && (i == 0 || now_ns() < end); i++) {
    const int64_t begin = now_ns();
    if (line_count > 0) {
      run_for_each_line(argv + first, output);
    } else {
      run_once(argv + first, output);
    }
    printf("%lld\n", (long long)(now_ns() - begin));
  }
  return 0;
}
