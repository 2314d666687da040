// TaskGroup: owns tasks that run beside their creator. There is no detached work in this project.
//
//   aio::TaskGroup group(executor);
//   group.Spawn(Watch(...));
//   ...
//   co_await group.Stop();   // cancels all and waits for each
#ifndef CALICO_PKG_AIO_TASK_GROUP_H_
#define CALICO_PKG_AIO_TASK_GROUP_H_

#include <cstddef>
#include <memory>

#include "pkg/aio/task.h"

namespace calico::aio {

// Threading: event loop thread only. Destroying a group whose tasks still run is a check failure.
class TaskGroup {
 public:
  explicit TaskGroup(Executor executor);
  ~TaskGroup();
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;

  // Starts `task` at the next turn of the loop. After Stop, or when Stop comes before that turn:
  // the task is dropped unstarted.
  void Spawn(Task<void> task);
  // Number of tasks that have not ended.
  size_t running() const;
  // Waits until all tasks have ended by themselves. Cancellation: total; the tasks go on.
  Task<void> Join();
  // Cancels all tasks and waits until each has ended. Not cancellable itself. Not from a task of
  // this group, which would wait for itself.
  Task<void> Stop();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

// Runs both tasks until one of them ends, then cancels the other and waits for it.
// Cancellation: passed on to both.
Task<void> Race(Task<void> first, Task<void> second);

}  // namespace calico::aio

#endif  // CALICO_PKG_AIO_TASK_GROUP_H_
