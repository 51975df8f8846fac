// The methods of the D-Bus interface that are about descriptors: Pass, Descriptors, Drop, Take and
// HandUp (common/bus_api.hpp). Passing, dropping and taking is for those who may change things:
// whoever has a service's listening socket can serve in its place. The list is for everyone, like
// status: it names sockets and files and who passed them, and gives nothing away that works.
#pragma once

#include <functional>
#include <memory>

#include <systemd/sd-bus.h>

#include "common/unit/unit_set.hpp"
#include "daemon/manager/bus_caller.hpp"
#include "daemon/manager/descriptors.hpp"

namespace foster::manager {

class BusDescriptors {
 public:
  struct Shell {
    Descriptors* descriptors = nullptr;                                // borrowed
    std::function<bool(const std::string& name, int fd)> store_above;  // SystemdLink::store
    std::function<bool()> shutting_down;
    std::function<void(BusMessage)> answer;  // once the status region shows what was done
  };

  BusDescriptors(std::shared_ptr<const UnitSet> set, Shell shell)
      : set_(std::move(set)), shell_(std::move(shell)) {}

  /// What the methods are called with; one for each connection.
  struct Seat {
    BusDescriptors* server = nullptr;
    BusCaller* caller = nullptr;
  };

  /// Adds the methods to a connection. 0 or more, or a negative errno. The seat outlives it.
  static int add_to(sd_bus* bus, Seat& seat);

 private:
  struct Methods;  // the vtable's handlers

  std::shared_ptr<const UnitSet> set_;
  Shell shell_;
};

}  // namespace foster::manager
