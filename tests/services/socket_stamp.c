/* socket-stamp FIFO [once]: tells when it has got something. To each client of its sockets it sends
 * the time at which it accepted it, and with `once` ends then; for each descriptor that comes by
 * $FOSTER_RECEIVE_FD it writes the time into FIFO. A time is eight bytes, CLOCK_BOOTTIME in ns. */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { kFirst = 3, kSocketsMax = 64 };

static int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  return now.tv_sec * 1000000000ll + now.tv_nsec;
}

static int number_of(const char* variable) {
  const char* text = getenv(variable);
  return text ? atoi(text) : -1;
}

static int greet(int socket) {
  const int client = accept4(socket, NULL, NULL, SOCK_CLOEXEC);
  const int64_t now = now_ns();
  if (client < 0) return 0;
  if (send(client, &now, sizeof now, MSG_NOSIGNAL) != sizeof now) perror("socket-stamp");
  close(client);
  return 1;
}

/* Nonzero while there may be more. */
static int receive(int channel, int fifo) {
  char name[256];
  char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(__alignof__(struct cmsghdr))));
  struct iovec text = {name, sizeof name};
  struct msghdr packet = {
      .msg_iov = &text, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  const ssize_t size = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC);
  const int64_t now = now_ns();
  const struct cmsghdr* passed = size > 0 ? CMSG_FIRSTHDR(&packet) : NULL;
  if (!passed) return 0;
  int fd = -1;
  memcpy(&fd, CMSG_DATA(passed), sizeof fd);
  close(fd);
  return write(fifo, &now, sizeof now) == sizeof now;
}

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3 || (argc == 3 && strcmp(argv[2], "once") != 0)) {
    fprintf(stderr, "usage: socket-stamp FIFO [once]\n");
    return 64;
  }
  const int fifo = open(argv[1], O_RDWR | O_CLOEXEC);
  struct pollfd ready[kSocketsMax] = {{number_of("FOSTER_RECEIVE_FD"), POLLIN, 0}};
  nfds_t count = 1;
  for (int fd = kFirst; fd < kFirst + number_of("LISTEN_FDS") && count < kSocketsMax; fd++)
    ready[count++] = (struct pollfd){fd, POLLIN, 0};
  while (poll(ready, count, -1) > 0) {
    if (ready[0].revents && !receive(ready[0].fd, fifo)) return 0;
    for (nfds_t i = 1; i < count; i++) {
      if (ready[i].revents && greet(ready[i].fd) && argc == 3) return 0;
    }
  }
  return 1;
}
