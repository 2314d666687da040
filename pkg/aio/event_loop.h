// EventLoop: the one io_context and thread that a program lives on.
//
//   aio::EventLoop loop;
//   return loop.Run(Main(loop, ...));     // returns Main's exit code
#ifndef CALICO_PKG_AIO_EVENT_LOOP_H_
#define CALICO_PKG_AIO_EVENT_LOOP_H_

#include <memory>

#include "pkg/aio/task.h"

namespace calico::aio {

// Threading: everything that runs on it runs on the thread that called Run.
class EventLoop {
 public:
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  Executor executor() const;

  // Runs until `main` has ended, then returns its value. Work that `main` left behind is dropped:
  // stop task groups first. An exception that escapes `main` ends the process with its message.
  int Run(Task<int> main);
  // The same for a task without a result (tests).
  void Run(Task<void> main);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Waits for SIGTERM or SIGINT and returns its number; for the first call in a program.
// Cancellation: total (returns 0).
Task<int> WaitForTermination();

}  // namespace calico::aio

#endif  // CALICO_PKG_AIO_EVENT_LOOP_H_
