#include "encoder-handle.h"

#include "js-values.h"

namespace framelock {
namespace {

/** Tells our objects from all others; made up once. */
constexpr napi_type_tag kTag = {0x6d1f4a52c8e34b07, 0x9b0e7d3f52a1c846};

}  // namespace

napi_value WrapHandle(napi_env env, std::unique_ptr<EncoderHandle> handle) {
  napi_value object;
  Require(napi_create_object(env, &object), "the handle cannot be made");
  Require(napi_type_tag_object(env, object, &kTag), "the handle cannot be made");
  const auto collect = [](napi_env, void* data, void*) { delete static_cast<EncoderHandle*>(data); };
  Require(napi_wrap(env, object, handle.get(), collect, nullptr, nullptr), "the handle cannot be made");
  handle.release();
  return object;
}

EncoderHandle& UnwrapIdle(napi_env env, napi_value object) {
  bool is_ours = false;
  void* data = nullptr;
  if (!IsObject(env, object) || napi_check_object_type_tag(env, object, &kTag, &is_ours) != napi_ok || !is_ours ||
      napi_unwrap(env, object, &data) != napi_ok) {
    throw JsError{"INVALID_ARGUMENT", "this is no handle of an encoder"};
  }
  auto& handle = *static_cast<EncoderHandle*>(data);
  if (handle.busy) throw JsError{"ENCODER_BUSY", "the encoder has a job in flight"};
  if (handle.pipeline == nullptr) throw JsError{"ENCODER_CLOSED", "the encoder is freed"};
  return handle;
}

}  // namespace framelock
