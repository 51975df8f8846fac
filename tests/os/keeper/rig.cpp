#include "tests/os/keeper/rig.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>

namespace foster::keeper_test {
namespace {

using protocol::Type;

// The C library's header of it is not made for C++.
UniqueFd open_process(pid_t pid) {
  return UniqueFd(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
}

UniqueFd listen_in(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  EXPECT_EQ(listen(fd.get(), 16), 0);
  return fd;
}

UniqueFd receive_descriptor(int connection) {
  char byte;
  iovec data{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (!readable(connection) || recvmsg(connection, &message, MSG_CMSG_CLOEXEC) != 1) return {};
  const cmsghdr* rights = CMSG_FIRSTHDR(&message);
  int fd = -1;
  if (rights != nullptr) std::memcpy(&fd, CMSG_DATA(rights), sizeof fd);
  return UniqueFd(fd);
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> array;
  for (const std::string& string : strings)
    array.push_back(const_cast<char*>(string.c_str()));
  array.push_back(nullptr);
  return array;
}

/// A test that is killed leaves no daemon behind, whose services would run for ever.
void die_with_the_test() {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/// The only child of a process, once it has one.
pid_t child_of(pid_t parent) {
  const std::string path =
      "/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children";
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char text[64] = {};
  return read(file.get(), text, sizeof text - 1) > 0 ? std::atoi(text) : 0;
}

}  // namespace

bool readable(int fd, int timeout_ms) {
  pollfd waited{fd, POLLIN, 0};
  return poll(&waited, 1, timeout_ms) == 1;
}

bool ends(pid_t pid) {
  const UniqueFd process = open_process(pid);
  return !process || readable(process.get());
}

bool alive(pid_t pid) {
  return ::kill(pid, 0) == 0;
}

std::string Plan::encoded() const {
  std::string strings = unit + '\0' + (program.empty() ? argv.at(0) : program) + '\0';
  uint32_t all_flags = flags;
  if (!directory.empty()) {
    strings += directory + '\0';
    all_flags |= protocol::kSetDirectory;
  }
  for (const auto* list : {&argv, &envp})
    for (const std::string& string : *list)
      strings += string + '\0';
  const protocol::SpawnPlan head{attempt,
                                 tag,
                                 static_cast<uint32_t>(numbers.size()),
                                 all_flags,
                                 uid,
                                 gid,
                                 static_cast<uint32_t>(groups.size()),
                                 umask,
                                 static_cast<uint32_t>(argv.size()),
                                 static_cast<uint32_t>(envp.size()),
                                 static_cast<uint32_t>(strings.size())};
  std::string bytes(reinterpret_cast<const char*>(&head), sizeof head);
  bytes.append(reinterpret_cast<const char*>(groups.data()), groups.size() * sizeof(gid_t));
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(int32_t));
  return bytes + strings;
}

pid_t pid_in(const std::string& line) {
  return std::atoi(line.substr(line.rfind(' ') + 1).c_str());
}

Plan probe(uint64_t attempt, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), PROBE_PATH);
  Plan plan;
  plan.attempt = attempt;
  plan.argv = std::move(arguments);
  return plan;
}

Manager::Manager(UniqueFd connection, UniqueFd channel, pid_t pid)
    : connection_(std::move(connection)), channel_(std::move(channel)), pid_(pid) {}

Message Manager::next() {
  while (waiting_.empty()) {
    if (!readable(channel_.get())) {
      ADD_FAILURE() << "the keeper said nothing within the deadline";
      return {};
    }
    if (reader_->receive(channel_.get(), true) != ipc::PacketReader::Outcome::packet) {
      ADD_FAILURE() << "no packet from the keeper";
      return {};
    }
    ipc::Record record;
    while (reader_->next(record)) {
      Message message{static_cast<Type>(record.type),
                      {reinterpret_cast<const char*>(record.body), record.size},
                      {}};
      for (size_t i = 0; i < record.fd_count; ++i)
        message.fds.push_back(reader_->take_fd(i));
      waiting_.push_back(std::move(message));
    }
  }
  Message message = std::move(waiting_.front());
  waiting_.pop_front();
  return message;
}

Message Manager::expect(Type type) {
  Message message = next();
  EXPECT_EQ(static_cast<int>(message.type), static_cast<int>(type));
  return message;
}

std::vector<Message> Manager::take_handover() {
  std::vector<Message> messages;
  do
    messages.push_back(next());
  while (messages.back().type != Type::handover_end && messages.back().type != Type{});
  return messages;
}

bool Manager::silent() {
  return waiting_.empty() && !readable(channel_.get(), 0);
}

void Manager::send_bytes(Type type, std::string_view bytes, std::span<const int> fds) {
  if (!writer_->fits(bytes.size(), fds.size())) flush();
  void* body = writer_->add(static_cast<uint16_t>(type), bytes.size(), fds.data(), fds.size());
  ASSERT_NE(body, nullptr);
  if (!bytes.empty()) std::memcpy(body, bytes.data(), bytes.size());
  if (gathering_ && fds.empty()) return;
  flush();
}

void Manager::flush() {
  if (!writer_->empty()) {
    EXPECT_EQ(writer_->send(channel_.get(), false), 0);
  }
}

void Manager::kill(uint64_t attempt, int signal, protocol::KillScope scope) {
  send(Type::kill, protocol::Kill{attempt, signal, scope, 0, 0});
}

void Manager::acknowledge(uint64_t attempt, bool abandon) {
  send(Type::acknowledge, protocol::Acknowledge{attempt, abandon ? 1u : 0u, 0});
}

void Manager::exit(int code) {
  const auto byte = static_cast<unsigned char>(code);
  EXPECT_EQ(write(connection_.get(), &byte, 1), 1);
}

Rig::Rig(Setting setting) : as_init_(setting.as_init) {
  char name[] = "/tmp/foster-keeper.XXXXXX";
  folder_ = mkdtemp(name);
  std::filesystem::copy_file(FOSTERD_PATH, folder_ + "/fosterd");
  if (!setting.without_manager)
    std::filesystem::copy_file(FAKE_MANAGER_PATH, folder_ + "/foster-manager");
  listener_ = listen_in(folder_ + "/socket");
  // Some tests make the keeper another user's.
  EXPECT_EQ(chmod(folder_.c_str(), 0755), 0);
  EXPECT_EQ(chmod((folder_ + "/socket").c_str(), 0777), 0);
  setting.arguments.insert(setting.arguments.begin(), "fosterd");
  setting.environment.push_back("KEEPER_TEST_SOCKET=" + folder_ + "/socket");
  // The address sanitizer would forbid the services, too, to dump core.
  setting.environment.push_back("ASAN_OPTIONS=disable_coredump=0");
  int output[2];
  int log[2];
  EXPECT_EQ(pipe2(output, O_CLOEXEC), 0);
  EXPECT_EQ(pipe2(log, O_CLOEXEC), 0);
  child_ = keeper_ = fork();
  if (child_ == 0) become_keeper(setting, output[1], log[1]);
  close(output[1]);
  close(log[1]);
  output_.reset(output[0]);
  log_.reset(log[0]);
}

void Rig::become_keeper(const Setting& setting, int output, int log) {
  dup2(output, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  if (setting.as_init) {
    die_with_the_test();
    const int flags = CLONE_NEWPID | (geteuid() == 0 ? 0 : CLONE_NEWUSER);
    if (unshare(flags) != 0) _exit(96);
    const pid_t init = fork();
    if (init > 0) {
      int status = 0;
      waitpid(init, &status, 0);
      _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    }
  }
  if (setting.in_child) setting.in_child();
  die_with_the_test();
  execve((folder_ + "/fosterd").c_str(), pointers(setting.arguments).data(),
         pointers(setting.environment).data());
  _exit(95);
}

Rig::~Rig() {
  if (end_status_ == -1) {
    ::kill(keeper_, SIGKILL);
    if (keeper_ != child_) ::kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
  }
  std::filesystem::remove_all(folder_);
}

std::unique_ptr<Manager> Rig::manager() {
  if (!readable(listener_.get())) {
    ADD_FAILURE() << "no manager was started within the deadline";
    return nullptr;
  }
  UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  ucred peer{};
  socklen_t size = sizeof peer;
  getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  if (as_init_) keeper_ = child_of(child_);
  UniqueFd channel = receive_descriptor(connection.get());
  return std::make_unique<Manager>(std::move(connection), std::move(channel), peer.pid);
}

std::unique_ptr<Manager> Rig::serving_manager() {
  auto first = manager();
  first->take_handover();
  first->send_ready();
  return first;
}

int Rig::end_status() {
  if (end_status_ != -1) return end_status_;
  const UniqueFd process = open_process(child_);
  if (!readable(process.get())) return -1;
  waitpid(child_, &end_status_, 0);
  return end_status_;
}

std::string Rig::next_line(UniqueFd& fd, std::string& text) {
  for (;;) {
    const size_t end = text.find('\n');
    if (end != std::string::npos) {
      std::string line = text.substr(0, end);
      text.erase(0, end + 1);
      return line;
    }
    char bytes[4096];
    const ssize_t size = readable(fd.get()) ? read(fd.get(), bytes, sizeof bytes) : -1;
    if (size <= 0) return "(no more lines)";
    text.append(bytes, static_cast<size_t>(size));
  }
}

std::vector<std::string> Rig::lines() {
  std::vector<std::string> all;
  for (;;) {
    std::string next = line();
    if (next == "end") break;
    all.push_back(std::move(next));
    if (all.back() == "(no more lines)") break;
  }
  std::ranges::sort(all);
  return all;
}

bool Rig::logged(const std::string& text) {
  for (;;) {
    const std::string line = log_line();
    if (line == "(no more lines)") return false;
    if (line.find(text) != std::string::npos) return true;
  }
}

std::vector<std::string> Rig::keeper_descriptors() const {
  std::vector<std::string> names;
  const std::string folder = "/proc/" + std::to_string(keeper_) + "/fd";
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

}  // namespace foster::keeper_test
