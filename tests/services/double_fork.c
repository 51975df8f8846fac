/* double-fork JOURNAL ID LIFE_MS [leave] [same-group]: makes a daemon of a grandchild, which lives
 * LIFE_MS and records as "ID.orphan". The main process then stays, or with `leave` ends with 0. The
 * grandchild leaves the process group as daemons do, unless `same-group` is given. */
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "service.h"

static _Noreturn void live_as_orphan(long life_ms) {
  service_record(JOURNAL_START, 0, ".orphan");
  service_live_for_ms(life_ms);
  service_record(JOURNAL_EXIT, 0, ".orphan");
  _exit(0);
}

int main(int argc, char** argv) {
  service_begin(argc, argv, 1, "LIFE_MS [leave] [same-group]");
  const long life_ms = service_number(argv, 0);
  bool leave = false;
  bool same_group = false;
  for (int i = 4; i < argc; i++) {
    leave = leave || strcmp(argv[i], "leave") == 0;
    same_group = same_group || strcmp(argv[i], "same-group") == 0;
  }
  const pid_t between = fork();
  if (between == 0) {
    if (!same_group) setsid();
    const pid_t orphan = fork();
    if (orphan == 0) live_as_orphan(life_ms);
    _exit(orphan < 0);
  }
  int status = 0;
  if (between < 0 || waitpid(between, &status, 0) != between || status != 0) service_exit(66);
  if (leave) service_exit(0);
  for (;;)
    pause();
}
