#include <unistd.h>

#include "daemon/keeper/keeper.hpp"

int main(int, char** argv) {
  foster::keeper::run(argv, environ);
}
