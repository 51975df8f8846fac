// pass: descriptors for a unit, opened here, with the caller's rights and in the caller's
// namespaces, or inherited from the caller; the manager has the keeper hold them.

#include <cerrno>
#include <fcntl.h>

#include "common/bus_api.hpp"
#include "common/listen/open_socket.hpp"
#include "common/unit/descriptor_name.hpp"
#include "common/unit/listen_address.hpp"
#include "common/unit/unit_name.hpp"
#include "ctl/printable.hpp"
#include "ctl/requester.hpp"
#include "ctl/selection.hpp"
#include "ctl/verbs.hpp"

namespace foster::ctl {
namespace {

/// What is to be passed, ready to be inherited by foster-request.
struct Ready {
  std::string name;
  SocketSpec spec;              // of one that was opened here; `listen` is empty otherwise
  bool file_was_there = false;  // of a fifo
  UniqueFd fd;
};

Step<Ready> open_here(Session& session, const Offer& offer) {
  Ready ready{.name = offer.name};
  ready.spec.listen = offer.listen;
  ready.spec.kind = parse_listen_address(offer.listen)->kind;  // checked with the command line
  ready.file_was_there = is_fifo_there(ready.spec);
  Result<UniqueFd> opened = open_socket_as(ready.spec, {});
  if (!opened) {
    const bool denied =
        opened.error().system_error == EACCES || opened.error().system_error == EPERM;
    return std::unexpected(
        session.fail(denied ? ExitCode::not_permitted : ExitCode::failed, opened.error().message));
  }
  ready.fd.reset(fcntl(opened->get(), F_DUPFD, 3));
  return ready;
}

/// A copy in any case: the standard ones are foster-request's own over there.
Step<Ready> inherited(Session& session, const Offer& offer) {
  Ready ready{.name = offer.name};
  ready.fd.reset(fcntl(offer.descriptor, F_DUPFD, 3));
  if (ready.fd) return ready;
  return std::unexpected(session.fail(ExitCode::usage, "cannot pass descriptor " +
                                                           std::to_string(offer.descriptor) + ": " +
                                                           strerrordesc_np(errno)));
}

/// Nothing has become of the sockets that were opened for this.
void give_up(const std::vector<Ready>& all, size_t first) {
  for (size_t i = first; i < all.size(); ++i)
    if (!all[i].spec.listen.empty() && !all[i].file_was_there)
      remove_socket_file(all[i].spec, all[i].fd.get());
}

Step<std::vector<Ready>> make_ready(Session& session, const Arguments& arguments) {
  std::vector<Ready> all;
  for (const Offer& offer : arguments.offers) {
    Step<Ready> ready =
        offer.listen.empty() ? inherited(session, offer) : open_here(session, offer);
    if (!ready) {
      give_up(all, 0);
      return std::unexpected(ready.error());
    }
    if (ready->name.empty()) ready->name = descriptor_name_of(arguments.names.front());
    all.push_back(std::move(*ready));
  }
  return all;
}

}  // namespace

ExitCode run_pass(Session& session, const Arguments& arguments) {
  const Step<OpenRegion> region = session.open_region(arguments);
  if (!region) return region.error();
  const std::string& unit = arguments.names.front();
  if (!region->reader.find(unit))
    return session.fail(ExitCode::no_such_unit, no_such_unit(region->reader, unit));
  const Step<std::vector<Ready>> all = make_ready(session, arguments);
  if (!all) return all.error();
  for (size_t i = 0; i < all->size(); ++i) {
    const Ready& ready = (*all)[i];
    const Step<std::vector<std::string>> answer =
        request(session, arguments, *region,
                {.method = bus_api::kPass,
                 .names = {unit, ready.name},
                 .number = static_cast<uint32_t>(ready.fd.get())});
    if (!answer) {
      give_up(*all, i);
      return answer.error();
    }
    const bool live = !answer->empty() && answer->front() == "1";
    if (!arguments.quiet)
      session.out().line(printable(unit) + ": " + printable(ready.name) +
                         (live ? " was handed over" : " is there at its next start"));
  }
  return ExitCode::done;
}

}  // namespace foster::ctl
