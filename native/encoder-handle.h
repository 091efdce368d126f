// The encoder that a JavaScript object stands for.
#pragma once

#include <node_api.h>

#include <memory>

#include "codec-encoder.h"
#include "picture-converter.h"
#include "scene-detector.h"

namespace framelock {

/** What a frame goes through, and all the memory of an encoder. */
struct Pipeline {
  explicit Pipeline(const EncoderOptions& options)
      : converter(options.format, options.input, options.encoded), scenes(options.encoded) {}

  PictureConverter converter;
  SceneDetector scenes;
  std::unique_ptr<CodecEncoder> encoder;
  Chunk chunk;
};

/**
 * Owned by its JavaScript object, touched on the JavaScript thread; while `busy`, the pipeline belongs to the job in flight on another thread,
 * which keeps the object from being collected.
 */
struct EncoderHandle {
  explicit EncoderHandle(const EncoderOptions& options)
      : picture_bytes(PictureBytes(options.input)), pipeline(std::make_unique<Pipeline>(options)) {}

  const size_t picture_bytes;
  /** Null once it is freed. */
  std::unique_ptr<Pipeline> pipeline;
  bool busy = false;
};

/** Makes the object; what was never freed goes with it. Throws JsError. */
napi_value WrapHandle(napi_env env, std::unique_ptr<EncoderHandle> handle);

/** The open and idle encoder of an object. Throws JsError for any other. */
EncoderHandle& UnwrapIdle(napi_env env, napi_value object);

}  // namespace framelock
