#include "daemon/keeper/environment.hpp"

#include <cstring>

namespace foster::keeper {

const char* environment_value(char** envp, const char* name) {
  const size_t length = std::strlen(name);
  for (; *envp != nullptr; ++envp)
    if (std::strncmp(*envp, name, length) == 0 && (*envp)[length] == '=') return *envp + length + 1;
  return nullptr;
}

}  // namespace foster::keeper
