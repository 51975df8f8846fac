// What foster-request exits with: how far the call came. fosterctl makes its own exit code from it.
#pragma once

namespace foster::ctl {

enum class RequestExit : int {
  answered = 0,
  refused = 1,  // the manager answered with an error: "name<TAB>message" on stderr, to its end
  usage = 2,
  no_connection = 3,  // nobody listens there, or whoever did went away again and again
  not_permitted = 4,  // the socket may not be connected to
  timed_out = 5,      // connected, and no answer in time
  failed = 6,         // anything else: the reason is on stderr
  lost = 7,           // the manager died over a call that must not be made twice unseen
};

}  // namespace foster::ctl
