#include "daemon/manager/notify_socket.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "common/check.hpp"
#include "common/ipc/close_aside.hpp"
#include "common/ipc/fd_passing.hpp"
#include "daemon/manager/identity.hpp"
#include "daemon/manager/log.hpp"
#include "daemon/manager/notify_message.hpp"
#include "daemon/manager/process_tree.hpp"

namespace foster::manager {
namespace {

constexpr char kFolder[] = "/notify";
constexpr std::string_view kKeptPrefix = "notify:";
constexpr mode_t kFolderMode = 0755;
constexpr mode_t kSocketMode = 0666;  // who may be heard is judged by the sender's credentials
constexpr size_t kMessageMax = 8192;
constexpr int kDrainMax = 64;
constexpr Duration kBetweenComplaints = std::chrono::seconds(10);

/// FNV-1a, 64 bits: short, and the same in every manager.
std::string name_hash(std::string_view name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name)
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  std::string text(16, '0');
  for (size_t digit = text.size(); digit > 0; hash >>= 4)
    text[--digit] = "0123456789abcdef"[hash & 0xf];
  return text;
}

std::string kept_name(std::string_view unit_name) {
  return std::string(kKeptPrefix) + name_hash(unit_name);
}

struct Datagram {
  std::string text;
  std::optional<ucred> sender;
  bool cut = false;
  bool carries = false;  // descriptors come with it
};

/// The message that is next in the queue, left there. The control buffer has room for the
/// credentials alone, so descriptors are not received; that they are cut off is what is meant.
std::optional<Datagram> peek(int fd) {
  Datagram datagram;
  datagram.text.resize(kMessageMax);
  iovec part{datagram.text.data(), datagram.text.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t length = 0;
  do {
    length = recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  if (length < 0) return std::nullopt;
  datagram.text.resize(static_cast<size_t>(length));
  datagram.cut = (message.msg_flags & MSG_TRUNC) != 0;
  datagram.carries = (message.msg_flags & MSG_CTRUNC) != 0;
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_level == SOL_SOCKET &&
      header->cmsg_type == SCM_CREDENTIALS && header->cmsg_len >= CMSG_LEN(sizeof(ucred))) {
    ucred sender{};
    std::memcpy(&sender, CMSG_DATA(header), sizeof sender);
    datagram.sender = sender;
  }
  return datagram;
}

/// Copies of the descriptors of the message that is next in the queue. `cut`: this process may not
/// open that many; those that were opened are there.
std::vector<UniqueFd> peek_descriptors(int fd, bool& cut) {
  char nothing = 0;
  iovec part{&nothing, sizeof nothing};
  constexpr size_t kRightsSize = CMSG_SPACE(ipc::kRightsMax * sizeof(int));
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred)) + kRightsSize];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t length = 0;
  do {
    length = recvmsg(fd, &message, MSG_PEEK | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  } while (length < 0 && errno == EINTR);
  std::vector<UniqueFd> found;
  if (length < 0) return found;
  cut = (message.msg_flags & MSG_CTRUNC) != 0;
  int numbers[ipc::kRightsMax];
  const size_t count = ipc::received_rights(message, numbers, ipc::kRightsMax);
  for (const int number : std::span(numbers, count))
    found.emplace_back(number);
  return found;
}

/// What nobody has taken: whoever closes a socket last may have to wait, and that would be us.
void let_go_of_descriptors(int fd) {
  bool cut = false;
  for (UniqueFd& one : peek_descriptors(fd, cut))
    ipc::close_aside(one.release(), ipc::Reaping::at_next_call);
}

/// Takes the next message away; with it go the descriptors that came along.
void consume(int fd, bool unwanted_descriptors) {
  if (unwanted_descriptors) let_go_of_descriptors(fd);
  char nothing = 0;
  while (recv(fd, &nothing, sizeof nothing, MSG_DONTWAIT | MSG_TRUNC) < 0 && errno == EINTR) {
  }
}

Result<void> make_folder(const std::string& path) {
  if (mkdir(path.c_str(), kFolderMode) != 0) {
    if (errno == EEXIST) return {};
    return system_failure("make " + path, errno);
  }
  if (chmod(path.c_str(), kFolderMode) != 0) return system_failure("open up " + path, errno);
  return {};
}

}  // namespace

std::string notify_socket_path(const std::string& runtime_dir, std::string_view unit_name) {
  return runtime_dir + kFolder + "/" + name_hash(unit_name);
}

struct NotifySockets::Socket {
  ~Socket() { sd_event_source_disable_unref(source); }

  enum class State : uint8_t {
    listening,
    seen,   // the next message is being handled: to be taken away when the turn ends
    early,  // the next message waits for the keeper's word on a pid
  };

  NotifySockets* owner = nullptr;
  UnitIndex unit;
  UniqueFd fd;
  sd_event_source* source = nullptr;
  std::optional<uid_t> user;  // of the unit, where it has one and it counts
  State state = State::listening;
  bool carries = false;  // descriptors, the next message, that nobody wants
  Instant complained;    // {0}: never
  uint32_t unsaid = 0;
};

NotifySockets::NotifySockets(KeeperClient& keeper, const core::Supervisor& core,
                             Surroundings surroundings)
    : keeper_(keeper), core_(core), around_(std::move(surroundings)) {}

NotifySockets::~NotifySockets() = default;

Result<void> NotifySockets::attach(sd_event* loop, std::vector<HandedDescriptor>& kept) {
  loop_ = loop;
  std::unordered_map<std::string, UnitIndex> units;
  for (HandedDescriptor& held : kept) {
    if (!held.name.starts_with(kKeptPrefix) || !held.fd) continue;
    if (units.empty())
      for (uint32_t i = 0; i < core_.set().size(); ++i)
        if (uses_notify(core_.set()[{i}]))
          units.emplace(kept_name(core_.set()[{i}].name), UnitIndex{i});
    const auto unit = units.find(held.name);
    if (unit == units.end()) {
      keeper_.drop(held.name);
      const std::string hash = held.name.substr(kKeptPrefix.size());
      unlink((around_.runtime_dir + kFolder + "/" + hash).c_str());
      held.fd.reset();
    } else if (auto watched = watch(unit->second, std::move(held.fd)); !watched) {
      return std::unexpected(watched.error());
    }
  }
  return {};
}

Result<void> NotifySockets::open(UnitIndex unit) {
  const UnitSpec& spec = core_.set()[unit];
  if (!uses_notify(spec) || sockets_.contains(unit.value)) return {};
  auto fd = bind_socket(notify_socket_path(around_.runtime_dir, spec.name));
  if (!fd) return context("make a notify socket", fd.error());
  auto watched = watch(unit, std::move(*fd));
  if (!watched) return std::unexpected(watched.error());
  keeper_.store(kept_name(spec.name), (*watched)->fd.get());
  return {};
}

Result<UniqueFd> NotifySockets::bind_socket(const std::string& path) const {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path)
    return failure("listen on " + path, "the path is longer than a socket's address can be");
  path.copy(address.sun_path, path.size());
  if (auto made = make_folder(around_.runtime_dir + kFolder); !made)
    return std::unexpected(made.error());
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return system_failure("replace " + path, errno);
  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("make a socket", errno);
  const int yes = 1;
  if (setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0)
    return system_failure("ask for the senders' credentials", errno);
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return system_failure("bind " + path, errno);
  if (chmod(path.c_str(), kSocketMode) != 0) return system_failure("open up " + path, errno);
  return fd;
}

Result<NotifySockets::Socket*> NotifySockets::watch(UnitIndex unit, UniqueFd fd) {
  auto made = std::make_unique<Socket>();
  made->owner = this;
  made->unit = unit;
  made->fd = std::move(fd);
  const UnitSpec& spec = core_.set()[unit];
  if (spec.user) {
    IdentityCache identities;
    if (const auto found = identities.look_up(spec.user, spec.group)) made->user = found->uid;
  }
  const int r =
      sd_event_add_io(loop_, &made->source, made->fd.get(), EPOLLIN, message_arrived, made.get());
  if (r < 0) return system_failure("watch a notify socket", -r);
  return sockets_.insert_or_assign(unit.value, std::move(made)).first->second.get();
}

int NotifySockets::message_arrived(sd_event_source*, int, uint32_t, void* self) {
  auto& socket = *static_cast<Socket*>(self);
  NotifySockets& sockets = *socket.owner;
  if (socket.state != Socket::State::listening) return 0;
  sockets.look_at_next(socket, sockets.core_.record(socket.unit));
  if (socket.state != Socket::State::listening) sockets.busy_.push_back(&socket);
  return 0;
}

NotifySockets::Taken NotifySockets::look_at_next(Socket& socket, const core::UnitRecord& record) {
  const auto datagram = peek(socket.fd.get());
  if (!datagram) return Taken::nothing;
  socket.state = Socket::State::seen;
  socket.carries = datagram->carries;
  if (!datagram->sender)
    refuse(socket, 0, "it came without credentials");
  else if (datagram->cut)
    refuse(socket, datagram->sender->pid, "it is longer than a message may be");
  else
    judge(socket, record, datagram->text, datagram->sender->pid, datagram->sender->uid);
  return Taken::message;
}

void NotifySockets::judge(Socket& socket, const core::UnitRecord& record, std::string_view text,
                          int32_t pid, uid_t uid) {
  const UnitSpec& spec = core_.set()[socket.unit];
  Sender sender{.pid = pid, .uid = uid, .trusted = trusts(socket, uid)};
  Verdict verdict = judge_sender(spec, record, sender);
  const bool two_live = record.successor.attempt.value != 0 || record.former.attempt.value != 0;
  if (two_live && verdict == Verdict::admitted) {
    const auto facts = process_facts(pid);
    sender.group = facts ? facts->group : 0;
  }
  if (verdict == Verdict::not_of_unit) {
    const auto facts = process_facts(pid);
    sender.gone = !facts || !facts->alive();
    sender.group = facts ? facts->group : 0;
    sender.session = facts ? facts->session : 0;
    const InitialEnvironment environment(pid);
    sender.marked = environment.value("FOSTER_UNIT") == spec.name &&
                    environment.value("FOSTER_INSTANCE") == around_.instance;
    verdict = judge_sender(spec, record, sender);
  }
  switch (verdict) {
    case Verdict::admitted:
      return admit(socket, record, text, sender);
    case Verdict::too_early:
      socket.state = Socket::State::early;
      FOSTER_CHECK(sd_event_source_set_enabled(socket.source, SD_EVENT_OFF) >= 0);
      return;
    case Verdict::not_main:
    case Verdict::not_exec:
    case Verdict::not_of_unit:
      // A barrier says nothing of the unit, and whoever waits at it is let go in any case.
      if (!parse_notify_message(text).barrier) refuse(socket, pid, refusal_text(verdict));
      return;
  }
}

/// Anyone may be named, and what is the main process is signalled with all of its group.
bool NotifySockets::believed(UnitIndex unit, const core::UnitRecord& record, const Sender& sender,
                             int32_t main_pid) const {
  Named named{.pid = main_pid};
  if (const auto facts = process_facts(main_pid)) {
    named.alive = facts->alive();
    named.group = facts->group;
    named.session = facts->session;
  }
  named.uid = owner_of(main_pid).value_or(0);
  const InitialEnvironment environment(main_pid);
  const bool ours = environment.value("FOSTER_INSTANCE") == around_.instance;
  const auto name = environment.value("FOSTER_UNIT");
  named.marked = ours && name == core_.set()[unit].name;
  named.of_another = (ours && name && !named.marked) || is_of_another(unit, main_pid) ||
                     is_of_another(unit, named.session);
  const bool privileged = sender.uid == 0 || sender.uid == geteuid();
  return may_be_main(record, sender, privileged, named);
}

/// Each process that the keeper starts leads a session of its number.
bool NotifySockets::is_of_another(UnitIndex unit, int32_t pid) const {
  if (pid <= 0) return false;
  for (uint32_t i = 0; i < core_.set().size(); ++i) {
    const core::UnitRecord& other = core_.record({i});
    const bool is_its = pid == other.pid || pid == other.hook.pid || pid == other.check.pid ||
                        pid == other.successor.pid || pid == other.former.pid;
    if (is_its && i != unit.value) return true;
  }
  return false;
}

void NotifySockets::admit(Socket& socket, const core::UnitRecord& record, std::string_view text,
                          const Sender& sender) {
  NotifyMessage message = parse_notify_message(text);
  if (!message.warnings.empty() && may_complain(socket))
    log(Level::warning, "a part of a notify message does not count",
        {{"unit", core_.set()[socket.unit].name}, {"why", message.warnings.front()}});
  if (message.wish.store || message.wish.remove) keep(socket, message.wish);
  if (!message.news) return;
  std::optional<int32_t>& main_pid = message.said.main_pid;
  if (main_pid && !believed(socket.unit, record, sender, *main_pid)) {
    if (may_complain(socket))
      log(Level::warning, "MAINPID is not believed: the process is none of the unit's",
          {{"unit", core_.set()[socket.unit].name}, {"sender", sender.pid}, {"named", *main_pid}});
    main_pid.reset();
  }
  message.said.unit = socket.unit;
  message.said.attempt = attempt_of(record, sender);
  around_.queue(std::move(message.said));
}

void NotifySockets::keep(Socket& socket, const StoreWish& wish) {
  bool cut = false;
  std::vector<UniqueFd> fds;
  if (wish.store) {
    fds = peek_descriptors(socket.fd.get(), cut);
    socket.carries = false;
  }
  if (cut && may_complain(socket))
    log(Level::warning, "not all descriptors of a message could be received",
        {{"unit", core_.set()[socket.unit].name},
         {"received", fds.size()},
         {"why", "the limit of open files is reached (RLIMIT_NOFILE)"}});
  around_.keep(socket.unit, wish, std::move(fds));
}

void NotifySockets::refuse(Socket& socket, int32_t pid, const char* why) {
  const uint32_t unsaid = socket.unsaid;
  if (!may_complain(socket)) return;
  log(Level::warning, "a notify message is not heeded",
      {{"unit", core_.set()[socket.unit].name},
       {"sender", pid},
       {"why", why},
       {"others_before", unsaid}});
}

bool NotifySockets::may_complain(Socket& socket) const {
  const Instant now = now_since_boot();
  if (socket.complained.ns != 0 && now - socket.complained < kBetweenComplaints) {
    ++socket.unsaid;
    return false;
  }
  socket.complained = now;
  socket.unsaid = 0;
  return true;
}

bool NotifySockets::trusts(const Socket& socket, uid_t uid) const {
  return uid == 0 || uid == geteuid() || uid == socket.user;
}

void NotifySockets::drain(UnitIndex unit, Attempt attempt, int32_t pid) {
  const auto found = sockets_.find(unit.value);
  if (found == sockets_.end()) return;
  Socket& socket = *found->second;
  core::UnitRecord record = core_.record(unit);
  if (record.attempt == attempt && record.pid == 0) record.pid = pid;
  if (record.hook.attempt == attempt && record.hook.pid == 0) record.hook.pid = pid;
  for (core::SideRun* run : {&record.check, &record.successor, &record.former})
    if (run->attempt == attempt && run->pid == 0) run->pid = pid;
  const bool listed = socket.state != Socket::State::listening;
  if (socket.state == Socket::State::seen) consume(socket.fd.get(), socket.carries);
  for (int count = 0; count < kDrainMax; ++count) {
    socket.state = Socket::State::listening;
    if (look_at_next(socket, record) == Taken::nothing) break;
    if (socket.state == Socket::State::early) break;
    consume(socket.fd.get(), socket.carries);
  }
  if (socket.state == Socket::State::seen) socket.state = Socket::State::listening;
  if (socket.state == Socket::State::early && !listed) busy_.push_back(&socket);
}

void NotifySockets::turn_ended() {
  std::erase_if(busy_, [this](Socket* socket) {
    if (socket->state == Socket::State::early &&
        pid_is_under_way(core_.set()[socket->unit], core_.record(socket->unit)))
      return false;
    if (socket->state == Socket::State::seen) consume(socket->fd.get(), socket->carries);
    socket->state = Socket::State::listening;
    FOSTER_CHECK(sd_event_source_set_enabled(socket->source, SD_EVENT_ON) >= 0);
    return true;
  });
}

void NotifySockets::remove() {
  for (const auto& [unit, socket] : sockets_)
    unlink(notify_socket_path(around_.runtime_dir, core_.set()[{unit}].name).c_str());
  // What is left in it is not ours to judge.
  rmdir((around_.runtime_dir + kFolder).c_str());
}

}  // namespace foster::manager
