/* A service that is handed its sockets while it runs, by `fosterctl pass NAME --listen ...`. Its
 * unit file says receive = "live"; foster.unit(5) and fosterctl(1) describe how they come. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 241 /* the channel, and as many as a unit may have */
#define NAME_SIZE 256

/* The next descriptor and its name; -1: the daemon is gone, or this process has too many. */
static int receive(int channel, char* name) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } rights;
  struct iovec text = {name, NAME_SIZE - 1};
  struct msghdr packet = {.msg_iov = &text, .msg_iovlen = 1};
  packet.msg_control = &rights;
  packet.msg_controllen = sizeof rights;
  ssize_t length = recvmsg(channel, &packet, MSG_CMSG_CLOEXEC);
  int descriptor = -1;
  if (length <= 0 || CMSG_FIRSTHDR(&packet) == NULL) return -1;
  memcpy(&descriptor, CMSG_DATA(CMSG_FIRSTHDR(&packet)), sizeof descriptor);
  name[length] = '\0';
  return descriptor;
}

int main(void) {
  static char names[SOCKETS][NAME_SIZE];
  struct pollfd waited[SOCKETS] = {{.fd = atoi(getenv("FOSTER_RECEIVE_FD")), .events = POLLIN}};
  nfds_t count = 1;
  /* What was passed before this start is there already, from number 3 on. */
  char* given = getenv("LISTEN_FDNAMES");
  for (char* name = given == NULL ? NULL : strtok(given, ":"); name != NULL && count < SOCKETS;
       name = strtok(NULL, ":")) {
    snprintf(names[count], NAME_SIZE, "%s", name);
    waited[count] = (struct pollfd){.fd = 3 + (int)count - 1, .events = POLLIN};
    ++count;
  }
  for (;;) {
    if (poll(waited, count, -1) < 0) return 1;
    for (nfds_t i = 1; i < count; ++i) {
      if (waited[i].revents == 0) continue;
      int client = accept(waited[i].fd, NULL, NULL);
      dprintf(client, "you have come by %s\n", names[i]);
      close(client);
    }
    if (waited[0].revents == 0) continue;
    if (count == SOCKETS) return 1;
    waited[count].fd = receive(waited[0].fd, names[count]);
    if (waited[count].fd < 0) return 0;
    waited[count++].events = POLLIN;
  }
}
