// Work on libuv's thread pool with a promise for its outcome.
#pragma once

#include <node_api.h>

#include <memory>
#include <string>

namespace framelock {

/** One piece of work. Made, settled and destroyed on the JavaScript thread; run once, on another. */
class Job {
 public:
  virtual ~Job() = default;

  /** Queues the job and returns its promise. Throws JsError. */
  static napi_value Start(napi_env env, const char* name, std::unique_ptr<Job> job);

 protected:
  /** On a thread of the pool. May throw std::exception. */
  virtual void Run() = 0;
  /** Called once, on the JavaScript thread, whatever came of the job, before the promise is settled. */
  virtual void Finish(napi_env) {}
  /** What the promise resolves with. May throw JsError. */
  virtual napi_value Result(napi_env env) = 0;

 private:
  static void Execute(napi_env env, void* data);
  static void Complete(napi_env env, napi_status status, void* data);
  void Settle(napi_env env);

  napi_async_work work_ = nullptr;
  napi_deferred deferred_ = nullptr;
  bool failed_ = false;
  std::string failure_;
};

}  // namespace framelock
