#include "daemon/protocol/keeper_protocol.hpp"

namespace foster::protocol {

const char* step_text(Step step) {
  switch (step) {
    case Step::fork:
      return "fork";
    case Step::plan:
      return "read the plan of the start";
    case Step::signals:
      return "reset the signals";
    case Step::session:
      return "make a session of its own";
    case Step::parent_death:
      return "tie its life to fosterd's";
    case Step::standard_input:
      return "open the standard input";
    case Step::standard_output:
      return "open the standard output";
    case Step::standard_error:
      return "open the standard error";
    case Step::umask:
      return "set the umask";
    case Step::groups:
      return "set the supplementary groups";
    case Step::group_id:
      return "set the group";
    case Step::user_id:
      return "set the user";
    case Step::working_directory:
      return "enter the working directory";
    case Step::descriptors:
      return "arrange the descriptors";
    case Step::execute:
      return "execute";
  }
  return "take an unknown step";
}

}  // namespace foster::protocol
