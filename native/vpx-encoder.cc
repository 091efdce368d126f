// VP8 and VP9 by libvpx.
#include <vpx/vp8cx.h>
#include <vpx/vpx_encoder.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "codec-encoder.h"

namespace framelock {
namespace {

/** Counts pictures as if they came this often: with an unreachable rate time does not matter. */
constexpr int kPicturesPerSecond = 30;

/** A tile of VP9 is at least this wide (VP9 bitstream specification section 7.4.20, MIN_TILE_WIDTH_B64). */
constexpr double kLeastTileWidth = 256;
constexpr int kMaxTileColumnsLog2 = 2;

/**
 * What frames of a stream with temporal layers may use, by libvpx's flags. One buffer is enough where nothing refers to upper layers: libwebrtc, whose
 * upper layers refer to each other, has the golden one as well (default_temporal_layers.cc).
 */
constexpr vpx_enc_frame_flags_t kBaseLayer =
    VP8_EFLAG_NO_REF_GF | VP8_EFLAG_NO_REF_ARF | VP8_EFLAG_NO_UPD_GF | VP8_EFLAG_NO_UPD_ARF;
/** The probabilities of the entropy coder would outlive the frame as well. */
constexpr vpx_enc_frame_flags_t kUpperLayer = kBaseLayer | VP8_EFLAG_NO_UPD_LAST | VP8_EFLAG_NO_UPD_ENTROPY;

int TileColumnsLog2(int width) {
  return std::clamp(static_cast<int>(std::floor(std::log2(width / kLeastTileWidth))), 0, kMaxTileColumnsLog2);
}

class VpxEncoder : public CodecEncoder {
 public:
  explicit VpxEncoder(const EncoderOptions& options)
      : is_vp8_(options.codec == "vp8"), has_layers_(options.temporal_layers), size_(options.encoded) {
    vpx_codec_iface_t* interface = is_vp8_ ? vpx_codec_vp8_cx() : vpx_codec_vp9_cx();
    if (vpx_codec_enc_config_default(interface, &config_, 0) != VPX_CODEC_OK) {
      throw std::runtime_error("libvpx has no default configuration");
    }
    config_.g_w = static_cast<unsigned>(size_.width);
    config_.g_h = static_cast<unsigned>(size_.height);
    config_.g_timebase = {1, kPicturesPerSecond};
    config_.g_threads = static_cast<unsigned>(options.threads);
    config_.g_lag_in_frames = 0;
    // VP9 predicts motion vectors and probabilities from the frame before, whichever that was, unless it is told to be resilient.
    config_.g_error_resilient = has_layers_ && !is_vp8_ ? VPX_ERROR_RESILIENT_DEFAULT : 0;
    config_.g_pass = VPX_RC_ONE_PASS;
    config_.kf_mode = VPX_KF_DISABLED;
    config_.rc_end_usage = VPX_CBR;
    config_.rc_resize_allowed = 0;
    config_.rc_target_bitrate = kUnreachableKilobits;
    config_.rc_dropframe_thresh = 0;
    if (vpx_codec_enc_init(&context_, interface, &config_, 0) != VPX_CODEC_OK) {
      throw std::runtime_error("libvpx cannot open: " + Reason());
    }
    try {
      is_vp8_ ? ConfigureVp8() : ConfigureVp9();
    } catch (...) {
      vpx_codec_destroy(&context_);
      throw;
    }
  }

  ~VpxEncoder() override { vpx_codec_destroy(&context_); }
  VpxEncoder(const VpxEncoder&) = delete;
  VpxEncoder& operator=(const VpxEncoder&) = delete;

  void Encode(const uint8_t* picture, const FrameSettings& settings, Chunk& chunk) override {
    Apply(settings);
    vpx_image_t image;
    // libvpx copies the picture and does not write to it.
    if (vpx_img_wrap(&image, VPX_IMG_FMT_I420, config_.g_w, config_.g_h, 1, const_cast<uint8_t*>(picture)) == nullptr) {
      throw std::runtime_error("libvpx does not take the picture");
    }
    Check(vpx_codec_encode(&context_, &image, picture_number_, 1, FlagsOf(settings), VPX_DL_REALTIME), "encode");
    picture_number_ += 1;
    Collect(chunk);
  }

 private:
  void ConfigureVp8() {
    Control(VP8E_SET_CPUUSED, -8);
    Control(VP8E_SET_STATIC_THRESHOLD, 1u);
    Control(VP8E_SET_TOKEN_PARTITIONS, static_cast<int>(VP8_ONE_TOKENPARTITION));
    Control(VP8E_SET_NOISE_SENSITIVITY, 0u);
  }

  void ConfigureVp9() {
    Control(VP8E_SET_CPUUSED, 8);
    Control(VP8E_SET_STATIC_THRESHOLD, 1u);
    Control(VP9E_SET_FRAME_PARALLEL_DECODING, 0u);
    Control(VP9E_SET_FRAME_PERIODIC_BOOST, 0u);
    Control(VP9E_SET_NOISE_SENSITIVITY, 0u);
    Control(VP9E_SET_TILE_COLUMNS, TileColumnsLog2(size_.width));
    Control(VP9E_SET_ROW_MT, 1u);
    // Cyclic refresh: still parts are refined a stripe at a time.
    Control(VP9E_SET_AQ_MODE, 3u);
  }

  template <typename Value>
  void Control(int id, Value value) {
    Check(vpx_codec_control_(&context_, id, value), "set an option");
  }

  vpx_enc_frame_flags_t FlagsOf(const FrameSettings& settings) const {
    if (settings.key_frame) return VPX_EFLAG_FORCE_KF;
    if (!has_layers_) return 0;
    return settings.discardable ? kUpperLayer : kBaseLayer;
  }

  void Apply(const FrameSettings& settings) {
    const auto largest = static_cast<unsigned>(settings.quantizer);
    // Left to itself the library refines key frames, and coarsens from frame to frame by little.
    // What is refined in a frame that nothing refers to is refined in vain.
    const bool is_exact = settings.key_frame || settings.discardable ||
                          settings.quantizer > last_quantizer_ + kLargestFreeStep;
    const unsigned least = is_exact ? largest : std::min(largest, kFinestQuantizer);
    if (least == config_.rc_min_quantizer && largest == config_.rc_max_quantizer) return;
    config_.rc_min_quantizer = least;
    config_.rc_max_quantizer = largest;
    Check(vpx_codec_enc_config_set(&context_, &config_), "change the quantizer");
  }

  void Collect(Chunk& chunk) {
    chunk.data.clear();
    vpx_codec_iter_t iterator = nullptr;
    while (const vpx_codec_cx_pkt_t* packet = vpx_codec_get_cx_data(&context_, &iterator)) {
      if (packet->kind != VPX_CODEC_CX_FRAME_PKT) continue;
      const auto* bytes = static_cast<const uint8_t*>(packet->data.frame.buf);
      chunk.data.insert(chunk.data.end(), bytes, bytes + packet->data.frame.sz);
      chunk.key = (packet->data.frame.flags & VPX_FRAME_IS_KEY) != 0;
    }
    if (chunk.data.empty()) throw std::runtime_error("libvpx made no chunk of the picture");
    Check(vpx_codec_control_(&context_, VP8E_GET_LAST_QUANTIZER_64, &chunk.quantizer), "tell the quantizer");
    last_quantizer_ = chunk.quantizer;
  }

  void Check(vpx_codec_err_t status, const char* what) {
    if (status != VPX_CODEC_OK) throw std::runtime_error(std::string("libvpx did not ") + what + ": " + Reason());
  }

  std::string Reason() {
    const char* detail = vpx_codec_error_detail(&context_);
    return std::string(vpx_codec_error(&context_)) + (detail == nullptr ? "" : std::string(", ") + detail);
  }

  const bool is_vp8_;
  const bool has_layers_;
  const PictureSize size_;
  vpx_codec_ctx_t context_{};
  vpx_codec_enc_cfg_t config_{};
  /** Of the frame before. */
  int last_quantizer_ = 0;
  /** Of the next picture. */
  int64_t picture_number_ = 0;
};

}  // namespace

std::unique_ptr<CodecEncoder> OpenVpxEncoder(const EncoderOptions& options) {
  return std::make_unique<VpxEncoder>(options);
}

}  // namespace framelock
