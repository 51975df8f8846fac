// Restarts that overlap.
#include "daemon/core/unit_machine.hpp"
