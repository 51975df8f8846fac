// connect-load PROTOCOL ADDRESS PORT CONNECTIONS: keeps so many TCP connections going, each of
// which asks once and is followed by a new one, until the end of its standard input. Each line read
// from there is answered by a line of counts since the one before, and so is the end:
//
//   answers 812 refused 0 reset 0 cut 0 other 0 longest-gap-us 1742
//
// refused: connect(2) was (ECONNREFUSED). reset: the connection broke (ECONNRESET, EPIPE). cut: it
// ended in good order, but before the whole answer. other: any other error. The gap is the longest
// time without an answer between two answers, the one under way at the end included. PROTOCOL is
// `chat` (a line is said, and comes back) or `http` (a page is asked for, and comes whole).
//
// ADDRESS is one of 127.0.0.0/8: the load comes from many such addresses, so that there are always
// ports for it.
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace {

enum class Protocol : uint8_t { chat, http };
enum class Progress : uint8_t { more, answered, cut };

constexpr uint32_t kInput = UINT32_MAX;

int64_t now_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000ll + now.tv_nsec / 1000;
}

struct Counts {
  uint64_t answers = 0;
  uint64_t refused = 0;
  uint64_t reset = 0;
  uint64_t cut = 0;
  uint64_t other = 0;
  int64_t longest_gap_us = 0;
};

class Load {
 public:
  Load(Protocol protocol, sockaddr_in server, uint32_t connections);
  int run();

 private:
  struct Connection {
    int fd = -1;
    bool asked = false;
    std::string question;
    std::string answer;
  };

  void open_connection(uint32_t index);
  void advance(uint32_t index);
  bool ask(Connection& connection);
  [[nodiscard]] Progress judge(const Connection& connection, bool ended) const;
  void finish(uint32_t index, Progress progress);
  void fail(uint32_t index, int error);
  bool command();
  void report();
  void note_gap();

  Protocol protocol_;
  sockaddr_in server_;
  int epoll_ = epoll_create1(EPOLL_CLOEXEC);
  std::vector<Connection> connections_;
  std::vector<uint32_t> ended_;  // to be opened again
  uint64_t opened_ = 0;
  int64_t last_answer_us_ = now_us();
  Counts counts_;
};

Load::Load(Protocol protocol, sockaddr_in server, uint32_t connections)
    : protocol_(protocol), server_(server), connections_(connections) {
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  epoll_event event{.events = EPOLLIN, .data = {.u32 = kInput}};
  epoll_ctl(epoll_, EPOLL_CTL_ADD, STDIN_FILENO, &event);
}

int Load::run() {
  for (uint32_t index = 0; index < connections_.size(); index++)
    ended_.push_back(index);
  epoll_event events[64];
  while (true) {
    for (const uint32_t index : std::exchange(ended_, {}))
      open_connection(index);
    const int count = epoll_wait(epoll_, events, 64, ended_.empty() ? -1 : 0);
    for (int i = 0; i < count; i++) {
      if (events[i].data.u32 != kInput) {
        advance(events[i].data.u32);
      } else if (!command()) {
        return counts_.answers == 0;
      }
    }
  }
}

void Load::open_connection(uint32_t index) {
  Connection& connection = connections_[index];
  connection = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
                .question = {},
                .answer = {}};
  const std::string id = std::to_string(opened_);
  connection.question =
      protocol_ == Protocol::chat ? "word " + id + "\n" : "GET / HTTP/1.0\r\n\r\n";
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(0x7f010000u + uint32_t(opened_++ % 4096));
  const int yes = 1;
  setsockopt(connection.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u32 = index}};
  if (bind(connection.fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0 ||
      epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event) != 0 ||
      (connect(connection.fd, reinterpret_cast<const sockaddr*>(&server_), sizeof server_) != 0 &&
       errno != EINPROGRESS)) {
    fail(index, errno);
  }
}

void Load::advance(uint32_t index) {
  Connection& connection = connections_[index];
  if (!connection.asked && !ask(connection)) {
    // The first to look at a connection is told why there is none, and nobody after it.
    if (errno != EAGAIN) fail(index, errno);
    return;
  }
  char buffer[4096];
  ssize_t size = 0;
  while ((size = recv(connection.fd, buffer, sizeof buffer, 0)) > 0)
    connection.answer.append(buffer, size_t(size));
  const int error = size < 0 ? errno : 0;
  const Progress progress = judge(connection, error != EAGAIN);
  if (progress == Progress::answered || error == 0) {
    finish(index, progress);
  } else if (error != EAGAIN) {
    fail(index, error);
  }
}

/// False: errno says why.
bool Load::ask(Connection& connection) {
  const std::string& text = connection.question;
  connection.asked = send(connection.fd, text.data(), text.size(), MSG_NOSIGNAL) > 0;
  return connection.asked;
}

Progress Load::judge(const Connection& connection, bool ended) const {
  const std::string_view answer = connection.answer;
  bool whole = false;
  switch (protocol_) {
    case Protocol::chat:
      // In the room each line begins with who has said it.
      whole = answer.find(": " + connection.question) != std::string_view::npos;
      break;
    case Protocol::http: {
      const size_t head = answer.find("\r\n\r\n");
      const size_t length = answer.find("Content-Length: ");
      if (!answer.starts_with("HTTP/1.1 200 ") || head == std::string_view::npos) break;
      whole =
          length < head && answer.size() - head - 4 == size_t(atoi(answer.data() + length + 16));
    } break;
  }
  if (whole) return Progress::answered;
  return ended ? Progress::cut : Progress::more;
}

void Load::finish(uint32_t index, Progress progress) {
  if (progress == Progress::answered) {
    note_gap();
    last_answer_us_ = now_us();
    counts_.answers++;
  } else {
    counts_.cut++;
  }
  close(connections_[index].fd);
  ended_.push_back(index);
}

void Load::fail(uint32_t index, int error) {
  if (error == ECONNREFUSED) {
    counts_.refused++;
  } else if (error == ECONNRESET || error == EPIPE) {
    counts_.reset++;
  } else {
    counts_.other++;
  }
  close(connections_[index].fd);
  ended_.push_back(index);
}

void Load::note_gap() {
  counts_.longest_gap_us = std::max(counts_.longest_gap_us, now_us() - last_answer_us_);
}

/// False at the end of the input.
bool Load::command() {
  char line[64];
  const ssize_t size = read(STDIN_FILENO, line, sizeof line);
  if (size < 0) return true;
  if (size == 0 || std::string_view(line, size_t(size)).find('\n') != std::string_view::npos)
    report();
  return size > 0;
}

void Load::report() {
  note_gap();
  printf("answers %lu refused %lu reset %lu cut %lu other %lu longest-gap-us %ld\n",
         counts_.answers, counts_.refused, counts_.reset, counts_.cut, counts_.other,
         counts_.longest_gap_us);
  fflush(stdout);
  counts_ = {};
  last_answer_us_ = now_us();
}

}  // namespace

int main(int argc, char** argv) {
  sockaddr_in server{};
  server.sin_family = AF_INET;
  const std::string_view protocol = argc == 5 ? argv[1] : "";
  if ((protocol != "chat" && protocol != "http") ||
      inet_pton(AF_INET, argv[2], &server.sin_addr) != 1 || atoi(argv[4]) < 1) {
    fprintf(stderr, "usage: connect-load chat|http ADDRESS PORT CONNECTIONS\n");
    return 64;
  }
  server.sin_port = htons(uint16_t(atoi(argv[3])));
  return Load(protocol == "chat" ? Protocol::chat : Protocol::http, server, uint32_t(atoi(argv[4])))
      .run();
}
