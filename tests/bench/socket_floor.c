/* socket-floor: the least that hand-over, activation and restarts of a service can cost. The system
 * calls that cannot be left out, and nothing else: no failures told, no state, one service.
 *
 *   pass-on PATH COMMAND...    executes COMMAND with one end of a socketpair as $FOSTER_RECEIVE_FD,
 *                              and sends there what descriptors come to the socket PATH
 *   pass PATH                  opens a TCP socket, and sends it to PATH
 *   activate PATH COMMAND...   listens at PATH; executes COMMAND whenever something comes and it
 *                              does not run
 *   restart plain|overlap PORT COMMAND...
 *                              listens at PORT of 127.0.0.1 and executes COMMAND; for each line of
 *                              standard input it does so again, when the old process has ended, or
 *                              before
 *
 * When all is set up, and when a restart is done, a line is written.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { kSocket = 3 };

static const char* const kListening = "LISTEN_FDS";
static const char* const kReceiving = "FOSTER_RECEIVE_FD";

static void expect(int holds, const char* what) {
  if (holds) return;
  perror(what);
  exit(1);
}

static int say_ready(void) {
  return puts("ready") >= 0 && fflush(stdout) == 0;
}

static struct sockaddr_un at_path(const char* path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  return address;
}

static int listen_at_path(const char* path, int type) {
  const struct sockaddr_un address = at_path(path);
  const int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
  expect(bind(fd, (const struct sockaddr*)&address, sizeof address) == 0, "bind");
  expect(listen(fd, SOMAXCONN) == 0, "listen");
  return fd;
}

static int listen_at_port(int port) {
  const struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((unsigned short)port),
                                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  expect(bind(fd, (const struct sockaddr*)&address, sizeof address) == 0, "bind");
  expect(listen(fd, SOMAXCONN) == 0, "listen");
  return fd;
}

/* `variable` is kListening or kReceiving: what the descriptor is for. */
static pid_t start(char** command, int fd, const char* variable) {
  const pid_t pid = fork();
  if (pid != 0) return pid;
  char number[16];
  snprintf(number, sizeof number, "%d", getpid());
  setenv("LISTEN_PID", number, 1);
  setenv(variable, variable == kListening ? "1" : "3", 1);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Where the kernel shares the processors out by session, a service has a share of its own.
  setsid();
  if (fd == kSocket) {
    fcntl(fd, F_SETFD, 0);
  } else {
    dup2(fd, kSocket);
  }
  execv(command[0], command);
  _exit(127);
}

static void send_descriptor(int channel, int fd) {
  char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(__alignof__(struct cmsghdr)))) = {0};
  struct iovec text = {"socket", 6};
  struct msghdr packet = {
      .msg_iov = &text, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  struct cmsghdr* passed = CMSG_FIRSTHDR(&packet);
  *passed = (struct cmsghdr){CMSG_LEN(sizeof fd), SOL_SOCKET, SCM_RIGHTS};
  memcpy(CMSG_DATA(passed), &fd, sizeof fd);
  expect(sendmsg(channel, &packet, MSG_NOSIGNAL) > 0, "sendmsg");
}

static int receive_descriptor(int channel) {
  char room[CMSG_SPACE(sizeof(int))] __attribute__((aligned(__alignof__(struct cmsghdr))));
  char name[64];
  struct iovec text = {name, sizeof name};
  struct msghdr packet = {
      .msg_iov = &text, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
  int fd = -1;
  expect(recvmsg(channel, &packet, MSG_CMSG_CLOEXEC) > 0, "recvmsg");
  memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&packet)), sizeof fd);
  return fd;
}

static void pass_on(const char* path, char** command) {
  int channel[2];
  const int door = listen_at_path(path, SOCK_SEQPACKET);
  expect(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) == 0, "socketpair");
  start(command, channel[1], kReceiving);
  say_ready();
  while (1) {
    const int client = accept4(door, NULL, NULL, SOCK_CLOEXEC);
    const int fd = receive_descriptor(client);
    send_descriptor(channel[0], fd);
    close(fd);
    close(client);
  }
}

static void pass(const char* path) {
  const struct sockaddr_un address = at_path(path);
  const int daemon = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  expect(connect(daemon, (const struct sockaddr*)&address, sizeof address) == 0, "connect");
  send_descriptor(daemon, listen_at_port(0));
}

static void activate(const char* path, char** command) {
  const int door = listen_at_path(path, SOCK_STREAM);
  struct pollfd ready = {door, POLLIN, 0};
  say_ready();
  while (poll(&ready, 1, -1) > 0)
    waitpid(start(command, door, kListening), NULL, 0);
}

/* A socket for READY=1, which is named to the services. */
static int open_notify_socket(void) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  socklen_t size = sizeof address;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  // With nothing but the family, the kernel chooses an abstract name.
  expect(bind(fd, (const struct sockaddr*)&address, sizeof(sa_family_t)) == 0, "bind");
  getsockname(fd, (struct sockaddr*)&address, &size);
  address.sun_path[0] = '@';
  address.sun_path[size - offsetof(struct sockaddr_un, sun_path)] = '\0';
  setenv("NOTIFY_SOCKET", address.sun_path, 1);
  return fd;
}

static void await_ready(int messages) {
  char text[256] = "";
  while (strncmp(text, "READY=1", 7) != 0)
    expect(recv(messages, text, sizeof text, 0) > 0, "recv");
}

static void end(pid_t pid) {
  kill(pid, SIGTERM);
  waitpid(pid, NULL, 0);
}

static void restart(int overlaps, int port, char** command) {
  const int messages = open_notify_socket();
  const int door = listen_at_port(port);
  pid_t pid = start(command, door, kListening);
  await_ready(messages);
  char line[16];
  while (say_ready() && fgets(line, sizeof line, stdin)) {
    const pid_t old = pid;
    if (!overlaps) end(old);
    pid = start(command, door, kListening);
    await_ready(messages);
    if (overlaps) end(old);
  }
  end(pid);
}

int main(int argc, char** argv) {
  const char* verb = argc > 2 ? argv[1] : "";
  if (strcmp(verb, "pass-on") == 0 && argc > 3) {
    pass_on(argv[2], argv + 3);
  } else if (strcmp(verb, "pass") == 0) {
    pass(argv[2]);
  } else if (strcmp(verb, "activate") == 0 && argc > 3) {
    activate(argv[2], argv + 3);
  } else if (strcmp(verb, "restart") == 0 && argc > 4) {
    restart(strcmp(argv[2], "overlap") == 0, atoi(argv[3]), argv + 4);
  } else {
    fprintf(stderr, "usage: socket-floor pass-on|pass|activate|restart ARGUMENTS...\n");
    return 64;
  }
  return 0;
}
