/* exit-with JOURNAL ID CODE: ends at once with CODE. */
#include "service.h"

int main(int argc, char** argv) {
  service_begin(argc, argv, 1, "CODE");
  service_exit((int)service_number(argv, 0));
}
