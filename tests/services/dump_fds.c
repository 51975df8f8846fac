/* dump-fds JOURNAL ID FILE: writes "NUMBER TARGET" for each descriptor that it was started with to
 * FILE, and ends with 0. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "service.h"

/* Looked at before anything else is opened, the journal included. The descriptor of the look itself
 * has a number that was free, so leaving it out hides nothing. */
static size_t list_descriptors(char* text, size_t capacity) {
  DIR* directory = opendir("/proc/self/fd");
  size_t used = 0;
  const struct dirent* entry = NULL;
  while (directory && (entry = readdir(directory))) {
    char target[4096];
    if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(directory)) continue;
    const ssize_t length = readlinkat(dirfd(directory), entry->d_name, target, sizeof target - 1);
    target[length < 0 ? 0 : length] = '\0';
    const int added = snprintf(text + used, capacity - used, "%s %s\n", entry->d_name, target);
    if (added < 0 || used + (size_t)added >= capacity) break;
    used += (size_t)added;
  }
  if (directory) closedir(directory);
  return used;
}

int main(int argc, char** argv) {
  static char text[1 << 18];
  const size_t used = list_descriptors(text, sizeof text);
  service_begin(argc, argv, 1, "FILE");
  service_publish(argv[3], text, used);
  service_exit(0);
}
