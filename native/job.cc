#include "job.h"

#include <exception>

#include "js-values.h"

namespace framelock {

napi_value Job::Start(napi_env env, const char* name, std::unique_ptr<Job> job) {
  napi_value promise, resource_name;
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &resource_name) != napi_ok ||
      napi_create_promise(env, &job->deferred_, &promise) != napi_ok ||
      napi_create_async_work(env, nullptr, resource_name, Execute, Complete, job.get(), &job->work_) != napi_ok ||
      napi_queue_async_work(env, job->work_) != napi_ok) {
    job->Finish(env);
    if (job->work_ != nullptr) napi_delete_async_work(env, job->work_);
    throw JsError{"ENCODER_FAILED", "the job cannot be queued"};
  }
  job.release();
  return promise;
}

void Job::Execute(napi_env, void* data) {
  auto* job = static_cast<Job*>(data);
  try {
    job->Run();
  } catch (const std::exception& error) {
    job->failed_ = true;
    job->failure_ = error.what();
  }
}

void Job::Complete(napi_env env, napi_status status, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  job->Finish(env);
  napi_delete_async_work(env, job->work_);
  if (status != napi_ok) {
    job->failed_ = true;
    job->failure_ = "the job was cancelled";
  }
  job->Settle(env);
}

/** While a thread is being torn down Node refuses all of this, and nobody waits for the promise any more. */
void Job::Settle(napi_env env) {
  napi_value outcome = nullptr;
  if (!failed_) {
    try {
      outcome = Result(env);
      napi_resolve_deferred(env, deferred_, outcome);
      return;
    } catch (const JsError& error) {
      failure_ = error.message;
    }
  }
  outcome = MakeError(env, "ENCODER_FAILED", failure_);
  if (outcome != nullptr) napi_reject_deferred(env, deferred_, outcome);
}

}  // namespace framelock
