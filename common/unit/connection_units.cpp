#include "common/unit/connection_units.hpp"

namespace foster {

UnitSpec listener_of(const UnitSpec& instance, const std::string& name) {
  UnitSpec unit;
  unit.name = name;
  unit.file = instance.file;
  unit.drop_ins = instance.drop_ins;
  unit.description = instance.description;
  unit.enabled = instance.enabled;
  unit.essential = instance.essential;
  unit.command = instance.command;
  unit.restart.policy = RestartPolicy::never;
  if (instance.depends) {
    // What a connection needs is started with its instance.
    DependsSpec& depends = unit.depends.make();
    depends = *instance.depends;
    depends.requires_units.clear();
    depends.binds_to.clear();
    depends.wants.clear();
    depends.completed.clear();
  }
  DescriptorsSpec& descriptors = unit.descriptors.make();
  descriptors.sockets = instance.descriptors->sockets;
  descriptors.start_on = StartOn::first_connection;
  return unit;
}

void serve_connections(UnitSpec& instance) {
  instance.enabled = false;
  instance.essential = false;
  instance.restart.policy = RestartPolicy::never;
  if (instance.depends) {
    instance.depends.make().required_by.clear();
    instance.depends.make().wanted_by.clear();
  }
  DescriptorsSpec& descriptors = instance.descriptors.make();
  descriptors.sockets.clear();
  descriptors.of_connection = true;
}

uint32_t connections_max(const UnitSpec& listener) {
  uint32_t most = 0;
  for (const SocketSpec& socket : sockets_of(listener))
    most += socket.max_connections;
  return most;
}

}  // namespace foster
