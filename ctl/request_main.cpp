// foster-request: makes one call to the manager for fosterctl and prints the answer, a value a
// line. What went wrong goes to stderr: "error name<TAB>message" when the manager said it, a
// sentence otherwise.
//
//   foster-request LIMIT_MS SOCKET METHOD [NUMBER] [NAME...]

#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "common/instant.hpp"
#include "common/ipc/channel.hpp"
#include "ctl/bus_client.hpp"

namespace {

using foster::ctl::Answer;
using foster::ctl::Call;
using foster::ctl::RequestExit;

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

/// To the one who asked for it: what a process has by SCM_RIGHTS, its parent has not.
bool hand_on(const Call& call, Answer& answer) {
  if (!answer.descriptor) return true;
  foster::ipc::PacketWriter packet;
  const int descriptor = answer.descriptor.get();
  return packet.add(0, 0, &descriptor, 1) != nullptr &&
         packet.send(static_cast<int>(call.number), false) == 0;
}

bool read_call(std::vector<std::string> words, Call& call, int& limit_ms) {
  if (words.size() < 3 || !read_number(words[0], limit_ms)) return false;
  call.socket = words[1];
  call.method = words[2];
  size_t used = 3;
  if (foster::ctl::takes_number(call.method)) {
    if (words.size() < 4 || !read_number(words[3], call.number)) return false;
    used = 4;
  }
  call.names.assign(words.begin() + static_cast<ptrdiff_t>(used), words.end());
  return true;
}

std::string on_one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\t') c = ' ';
  }
  return text + "\n";
}

int tell(const Answer& answer) {
  for (const std::string& line : answer.lines)
    std::fputs((line + "\n").c_str(), stdout);
  if (answer.how == RequestExit::refused) {
    // The last field: it may have lines of its own.
    std::fputs((answer.error_name + "\t" + answer.message + "\n").c_str(), stderr);
  } else if (answer.how != RequestExit::answered) {
    std::fputs(on_one_line(answer.message).c_str(), stderr);
  }
  const bool written = std::fflush(stdout) == 0;
  return static_cast<int>(written ? answer.how : RequestExit::failed);
}

}  // namespace

int main(int argc, char** argv) {
  Call call;
  int limit_ms = 0;
  if (!read_call({argv + 1, argv + argc}, call, limit_ms)) {
    std::fputs("usage: foster-request LIMIT_MS SOCKET METHOD [NUMBER] [NAME...]\n", stderr);
    return static_cast<int>(RequestExit::usage);
  }
  const foster::Instant until =
      foster::now_since_boot() + foster::Duration(std::chrono::milliseconds(limit_ms));
  Answer answer = make_call(call, until);
  if (!hand_on(call, answer))
    answer = {.how = RequestExit::failed, .message = "cannot hand the descriptor on"};
  return tell(answer);
}
