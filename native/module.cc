// The addon: open(options), encode(handle, picture, settings), free(handle), the list `codecs` and the number `interface`.
#include <node_api.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "codec-encoder.h"
#include "encoder-handle.h"
#include "job.h"
#include "js-values.h"

namespace framelock {
namespace {

// Of these calls, as ADDON_INTERFACE of codec-addon.ts, which loads no other: to be counted up where either side changes what it says.
constexpr uint32_t kInterface = 2;
constexpr int64_t kMaxSide = 16'384;
constexpr int64_t kMaxThreads = 16;
constexpr int64_t kMaxQuantizer = 63;

using Open = std::unique_ptr<CodecEncoder> (*)(const EncoderOptions&);

struct Codec {
  const char* name;
  Open open;
};

// A codec is there if its library was found when the addon was built.
constexpr Codec kCodecs[] = {
#ifdef FRAMELOCK_VPX
    {"vp8", OpenVpxEncoder},
    {"vp9", OpenVpxEncoder},
#endif
#ifdef FRAMELOCK_AOM
    {"av1", OpenAomEncoder},
#endif
};

/** Steps of the quantizer that halve an intra picture: as INTRA_STEPS_PER_OCTAVE of quantizer-rate-control.ts. */
constexpr double kStepsPerOctave = 13;

int Coarser(int quantizer, double octaves) {
  const int steps = static_cast<int>(std::ceil(kStepsPerOctave * octaves));
  return std::min(quantizer + steps, static_cast<int>(kMaxQuantizer));
}

class OpenJob : public Job {
 public:
  OpenJob(const EncoderOptions& options, Open open)
      : options_(options), open_(open), handle_(std::make_unique<EncoderHandle>(options)) {}

 private:
  void Run() override { handle_->pipeline->encoder = open_(options_); }
  napi_value Result(napi_env env) override { return WrapHandle(env, std::move(handle_)); }

  EncoderOptions options_;
  Open open_;
  std::unique_ptr<EncoderHandle> handle_;
};

/** Keeps the handle and the picture from being collected while they are in use. */
class EncodeJob : public Job {
 public:
  EncodeJob(napi_env env, napi_value object, napi_value picture, EncoderHandle& handle, const uint8_t* bytes,
            const FrameSettings& settings)
      : handle_(handle), bytes_(bytes), settings_(settings) {
    Require(napi_create_reference(env, object, 1, &object_), "the handle cannot be kept");
    if (napi_create_reference(env, picture, 1, &picture_) != napi_ok) {
      napi_delete_reference(env, object_);
      throw JsError{"ENCODER_FAILED", "the picture cannot be kept"};
    }
    handle_.busy = true;
  }

  void Finish(napi_env env) override {
    handle_.busy = false;
    napi_delete_reference(env, picture_);
    napi_delete_reference(env, object_);
  }

 private:
  void Run() override {
    Pipeline& pipeline = *handle_.pipeline;
    const uint8_t* picture = pipeline.converter.Convert(bytes_);
    FrameSettings settings = settings_;
    const SceneDetector::Scene scene = pipeline.scenes.Observe(picture, settings.key_frame);
    if (scene.is_other && !settings.key_frame) settings.quantizer = settings.other_scene_quantizer;
    if (scene.is_other || settings.key_frame) settings.quantizer = Coarser(settings.quantizer, scene.more_detail);
    // Nothing before another scene predicts what follows: each frame would be as large, until one is kept.
    if (scene.is_other) settings.discardable = false;
    pipeline.encoder->Encode(picture, settings, pipeline.chunk);
    pipeline.chunk.discardable = settings.discardable;
  }

  napi_value Result(napi_env env) override {
    const char* failure = "the chunk cannot be handed over";
    const Chunk& chunk = handle_.pipeline->chunk;
    void* target = nullptr;
    napi_value result, buffer, data, key, discardable, quantizer;
    Require(napi_create_arraybuffer(env, chunk.data.size(), &target, &buffer), failure);
    std::copy(chunk.data.begin(), chunk.data.end(), static_cast<uint8_t*>(target));
    Require(napi_create_typedarray(env, napi_uint8_array, chunk.data.size(), buffer, 0, &data), failure);
    Require(napi_get_boolean(env, chunk.key, &key), failure);
    Require(napi_get_boolean(env, chunk.discardable, &discardable), failure);
    Require(napi_create_int32(env, chunk.quantizer, &quantizer), failure);
    Require(napi_create_object(env, &result), failure);
    Require(napi_set_named_property(env, result, "data", data), failure);
    Require(napi_set_named_property(env, result, "key", key), failure);
    Require(napi_set_named_property(env, result, "discardable", discardable), failure);
    Require(napi_set_named_property(env, result, "quantizer", quantizer), failure);
    return result;
  }

  EncoderHandle& handle_;
  const uint8_t* bytes_;
  const FrameSettings settings_;
  napi_ref object_ = nullptr;
  napi_ref picture_ = nullptr;
};

int SideProperty(napi_env env, napi_value options, const char* name, int64_t largest) {
  const int64_t side = IntegerProperty(env, options, name, 2, largest);
  if (side % 2 != 0) throw JsError{"INVALID_ARGUMENT", std::string(name) + " is odd"};
  return static_cast<int>(side);
}

EncoderOptions ReadOptions(napi_env env, napi_value value) {
  EncoderOptions options;
  options.codec = StringProperty(env, value, "codec");
  const std::string format = StringProperty(env, value, "format");
  if (format != "I420" && format != "NV12") throw JsError{"INVALID_ARGUMENT", "format is neither I420 nor NV12"};
  options.format = format == "NV12" ? PixelFormat::kNv12 : PixelFormat::kI420;
  options.input = {SideProperty(env, value, "width", kMaxSide), SideProperty(env, value, "height", kMaxSide)};
  options.encoded = {SideProperty(env, value, "encodedWidth", options.input.width),
                     SideProperty(env, value, "encodedHeight", options.input.height)};
  options.threads = static_cast<int>(IntegerProperty(env, value, "threads", 1, kMaxThreads));
  options.temporal_layers = BooleanProperty(env, value, "temporalLayers");
  return options;
}

FrameSettings ReadSettings(napi_env env, napi_value value) {
  FrameSettings settings;
  settings.key_frame = BooleanProperty(env, value, "keyFrame");
  settings.discardable = BooleanProperty(env, value, "discardable");
  settings.quantizer = static_cast<int>(IntegerProperty(env, value, "quantizer", 0, kMaxQuantizer));
  settings.other_scene_quantizer =
      static_cast<int>(IntegerProperty(env, value, "otherSceneQuantizer", settings.quantizer, kMaxQuantizer));
  return settings;
}

template <size_t kCount>
std::array<napi_value, kCount> Arguments(napi_env env, napi_callback_info info) {
  std::array<napi_value, kCount> values{};
  size_t count = kCount;
  Require(napi_get_cb_info(env, info, &count, values.data(), nullptr, nullptr), "the arguments cannot be read");
  return values;
}

napi_value OpenEncoder(napi_env env, napi_callback_info info) {
  const EncoderOptions options = ReadOptions(env, Arguments<1>(env, info)[0]);
  const auto* codec = std::find_if(std::begin(kCodecs), std::end(kCodecs),
                                   [&](const Codec& candidate) { return options.codec == candidate.name; });
  if (codec == std::end(kCodecs)) throw JsError{"CODEC_UNSUPPORTED", "codec " + options.codec + " is not built in"};
  return Job::Start(env, "framelock.open", std::make_unique<OpenJob>(options, codec->open));
}

napi_value Encode(napi_env env, napi_callback_info info) {
  const auto [object, picture, job_settings] = Arguments<3>(env, info);
  // First, since a property may be a function that does anything, such as to free the encoder.
  const FrameSettings settings = ReadSettings(env, job_settings);
  EncoderHandle& handle = UnwrapIdle(env, object);
  const Bytes bytes = BytesOf(env, picture);
  if (bytes.size != handle.picture_bytes) {
    throw JsError{"FRAME_SIZE_MISMATCH", "the picture has " + std::to_string(bytes.size) + " bytes, " +
                                             std::to_string(handle.picture_bytes) + " are needed"};
  }
  return Job::Start(env, "framelock.encode",
                    std::make_unique<EncodeJob>(env, object, picture, handle, bytes.data, settings));
}

napi_value Free(napi_env env, napi_callback_info info) {
  EncoderHandle& handle = UnwrapIdle(env, Arguments<1>(env, info)[0]);
  handle.pipeline.reset();
  return nullptr;
}

/** A function of the module, its JsErrors turned into thrown ones. */
template <napi_value (*kFunction)(napi_env, napi_callback_info)>
napi_value Guarded(napi_env env, napi_callback_info info) {
  try {
    return kFunction(env, info);
  } catch (const JsError& error) {
    napi_throw_error(env, error.code, error.message.c_str());
  } catch (const std::exception& error) {
    napi_throw_error(env, "ENCODER_FAILED", error.what());
  }
  return nullptr;
}

template <napi_value (*kFunction)(napi_env, napi_callback_info)>
void Define(napi_env env, napi_value exports, const char* name) {
  napi_value function;
  Require(napi_create_function(env, name, NAPI_AUTO_LENGTH, Guarded<kFunction>, nullptr, &function), name);
  Require(napi_set_named_property(env, exports, name, function), name);
}

napi_value Initialise(napi_env env, napi_value exports) {
  napi_value codecs;
  Require(napi_create_array(env, &codecs), "codecs");
  uint32_t index = 0;
  for (const Codec& codec : kCodecs) {
    napi_value name;
    Require(napi_create_string_utf8(env, codec.name, NAPI_AUTO_LENGTH, &name), "codecs");
    Require(napi_set_element(env, codecs, index++, name), "codecs");
  }
  Require(napi_set_named_property(env, exports, "codecs", codecs), "codecs");
  napi_value interface_number;
  Require(napi_create_uint32(env, kInterface, &interface_number), "interface");
  Require(napi_set_named_property(env, exports, "interface", interface_number), "interface");
  Define<OpenEncoder>(env, exports, "open");
  Define<Encode>(env, exports, "encode");
  Define<Free>(env, exports, "free");
  return exports;
}

}  // namespace
}  // namespace framelock

NAPI_MODULE_INIT() {
  try {
    return framelock::Initialise(env, exports);
  } catch (const framelock::JsError& error) {
    napi_throw_error(env, error.code, error.message.c_str());
    return nullptr;
  }
}
