/* ignore-term JOURNAL ID: records each SIGTERM and goes on; only SIGKILL ends it. */
#include <signal.h>
#include <unistd.h>

#include "service.h"

static void record_signal(int signal) {
  service_record(JOURNAL_SIGNAL, signal, NULL);
}

int main(int argc, char** argv) {
  /* Before the start is recorded: a test that has seen the record may send SIGTERM at once. */
  struct sigaction action = {.sa_handler = record_signal};
  sigaction(SIGTERM, &action, NULL);
  service_begin(argc, argv, 0, "");
  for (;;)
    pause();
}
