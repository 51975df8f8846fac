/* The cheapest program that can be executed: the floor of every command-line tool. */
int main(void) {
  return 0;
}
