// One method call on the manager's private socket (common/bus_api.hpp), peer to peer: no bus
// daemon, no Hello. Every step has the same limit of time.
//
// A connection that is lost before the answer means that the manager died. The socket that it
// listened on is kept by the keeper, so connecting again waits, in that socket's queue, for the
// next manager, and the call is made once more. It may then be carried out twice: start, stop and
// a pass come to the same, a restart is done again, and so is a signal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/instant.hpp"
#include "common/ipc/unique_fd.hpp"
#include "ctl/request_exit.hpp"

namespace foster::ctl {

struct Call {
  std::string socket;  // path
  std::string method;
  uint32_t number = 0;             // for the methods that take one: takes_number
  std::vector<std::string> names;  // patterns; or a unit and a descriptor's name
};

/// Signal: the signal's number; Scale: how many instances; Pass: the descriptor's own; Take: of the
/// channel (common/ipc) on which the descriptor goes to whoever asked.
[[nodiscard]] bool takes_number(std::string_view method);

struct Answer {
  RequestExit how = RequestExit::failed;
  std::vector<std::string> lines;  // answered: "unit<TAB>job", "unit", the pid or the version; of
                                   // Descriptors "origin<TAB>name<TAB>since<TAB>from<TAB>what"
  UniqueFd descriptor;             // answered: of Take
  std::string error_name;          // refused
  std::string message;             // not answered: why, in words
  bool lost = false;               // the connection stood, and ended before the answer
};

[[nodiscard]] Answer make_call(const Call& call, Instant until);

/// The D-Bus address of a socket's path; what an address cannot hold as it is comes escaped.
[[nodiscard]] std::string bus_address(const std::string& path);

}  // namespace foster::ctl
