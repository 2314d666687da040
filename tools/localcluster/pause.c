// Does nothing, as small as possible: the program of every pod's sandbox container, and process 1
// of every node. As process 1 it collects orphans; it ends on SIGTERM or SIGINT.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void Collect(int number) {
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

static void End(int number) {
  (void)number;
  _exit(0);
}

int main(void) {
  const struct sigaction collect = {.sa_handler = Collect, .sa_flags = SA_NOCLDSTOP};
  const struct sigaction end = {.sa_handler = End};
  if (sigaction(SIGCHLD, &collect, NULL) != 0 || sigaction(SIGTERM, &end, NULL) != 0 ||
      sigaction(SIGINT, &end, NULL) != 0) {
    return 1;
  }
  Collect(0);
  for (;;) {
    pause();
  }
}
