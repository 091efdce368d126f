// AV1 by libaom.
#include <aom/aom_encoder.h>
#include <aom/aomcx.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "codec-encoder.h"

namespace framelock {
namespace {

/** Counts pictures as if they came this often: with an unreachable rate time does not matter. */
constexpr int kPicturesPerSecond = 30;

/** libwebrtc has 10 from 640x360 on (GetCpuSpeed in libaom_av1_encoder.cc); 9 costs little more and looks better. */
constexpr int kSpeed = 9;

class AomEncoder : public CodecEncoder {
 public:
  explicit AomEncoder(const EncoderOptions& options) {
    if (options.temporal_layers) throw std::runtime_error("there are no temporal layers of AV1");
    aom_codec_iface_t* interface = aom_codec_av1_cx();
    if (aom_codec_enc_config_default(interface, &config_, AOM_USAGE_REALTIME) != AOM_CODEC_OK) {
      throw std::runtime_error("libaom has no default configuration for real time");
    }
    config_.g_w = static_cast<unsigned>(options.encoded.width);
    config_.g_h = static_cast<unsigned>(options.encoded.height);
    config_.g_timebase = {1, kPicturesPerSecond};
    config_.g_threads = static_cast<unsigned>(options.threads);
    config_.g_lag_in_frames = 0;
    config_.g_error_resilient = 0;
    config_.g_pass = AOM_RC_ONE_PASS;
    config_.kf_mode = AOM_KF_DISABLED;
    config_.rc_end_usage = AOM_CBR;
    config_.rc_target_bitrate = kUnreachableKilobits;
    config_.rc_dropframe_thresh = 0;
    if (aom_codec_enc_init(&context_, interface, &config_, 0) != AOM_CODEC_OK) {
      throw std::runtime_error("libaom cannot open: " + Reason());
    }
    try {
      Configure(options.threads);
    } catch (...) {
      aom_codec_destroy(&context_);
      throw;
    }
  }

  ~AomEncoder() override { aom_codec_destroy(&context_); }
  AomEncoder(const AomEncoder&) = delete;
  AomEncoder& operator=(const AomEncoder&) = delete;

  void Encode(const uint8_t* picture, const FrameSettings& settings, Chunk& chunk) override {
    Apply(settings);
    aom_image_t image;
    // libaom copies the picture and does not write to it.
    if (aom_img_wrap(&image, AOM_IMG_FMT_I420, config_.g_w, config_.g_h, 1, const_cast<uint8_t*>(picture)) == nullptr) {
      throw std::runtime_error("libaom does not take the picture");
    }
    const aom_enc_frame_flags_t flags = settings.key_frame ? AOM_EFLAG_FORCE_KF : 0;
    Check(aom_codec_encode(&context_, &image, picture_number_, 1, flags), "encode");
    picture_number_ += 1;
    Collect(chunk);
  }

 private:
  void Configure(int threads) {
    Control(AOME_SET_CPUUSED, kSpeed);
    Control(AV1E_SET_TILE_COLUMNS, static_cast<unsigned>(std::log2(threads)));
    Control(AV1E_SET_ROW_MT, 1u);
    // Cyclic refresh: still parts are refined a stripe at a time.
    Control(AV1E_SET_AQ_MODE, 3u);
    Control(AV1E_SET_DELTAQ_MODE, 0u);
    Control(AV1E_SET_ENABLE_CDEF, 1u);
    Control(AV1E_SET_COEFF_COST_UPD_FREQ, 3u);
    Control(AV1E_SET_MODE_COST_UPD_FREQ, 3u);
    Control(AV1E_SET_MV_COST_UPD_FREQ, 3u);
    Control(AV1E_SET_MAX_REFERENCE_FRAMES, 3u);
    for (const int tool : {AV1E_SET_ENABLE_TPL_MODEL, AV1E_SET_ENABLE_ORDER_HINT, AV1E_SET_ENABLE_PALETTE,
                           AV1E_SET_ENABLE_OBMC, AV1E_SET_ENABLE_WARPED_MOTION, AV1E_SET_ENABLE_GLOBAL_MOTION,
                           AV1E_SET_ENABLE_REF_FRAME_MVS, AV1E_SET_ENABLE_CFL_INTRA, AV1E_SET_ENABLE_SMOOTH_INTRA,
                           AV1E_SET_ENABLE_ANGLE_DELTA, AV1E_SET_ENABLE_FILTER_INTRA, AV1E_SET_ENABLE_DIST_WTD_COMP,
                           AV1E_SET_ENABLE_DIFF_WTD_COMP, AV1E_SET_ENABLE_DUAL_FILTER, AV1E_SET_ENABLE_INTERINTRA_COMP,
                           AV1E_SET_ENABLE_INTERINTRA_WEDGE, AV1E_SET_ENABLE_INTRA_EDGE_FILTER,
                           AV1E_SET_ENABLE_INTRABC, AV1E_SET_ENABLE_MASKED_COMP, AV1E_SET_ENABLE_PAETH_INTRA,
                           AV1E_SET_ENABLE_QM, AV1E_SET_ENABLE_RECT_PARTITIONS, AV1E_SET_ENABLE_RESTORATION,
                           AV1E_SET_ENABLE_SMOOTH_INTERINTRA, AV1E_SET_ENABLE_TX64, AV1E_SET_NOISE_SENSITIVITY}) {
      Control(tool, 0);
    }
    Control(AV1E_SET_INTRA_DEFAULT_TX_ONLY, 1);
    Control(AV1E_SET_DISABLE_TRELLIS_QUANT, 1u);
  }

  template <typename Value>
  void Control(int id, Value value) {
    Check(aom_codec_control(&context_, id, value), "set an option");
  }

  void Apply(const FrameSettings& settings) {
    const auto largest = static_cast<unsigned>(settings.quantizer);
    // Left to itself the library refines key frames, and coarsens from frame to frame by little.
    const bool is_exact = settings.key_frame || settings.quantizer > last_quantizer_ + kLargestFreeStep;
    const unsigned least = is_exact ? largest : std::min(largest, kFinestQuantizer);
    if (least == config_.rc_min_quantizer && largest == config_.rc_max_quantizer) return;
    config_.rc_min_quantizer = least;
    config_.rc_max_quantizer = largest;
    Check(aom_codec_enc_config_set(&context_, &config_), "change the quantizer");
  }

  void Collect(Chunk& chunk) {
    chunk.data.clear();
    aom_codec_iter_t iterator = nullptr;
    while (const aom_codec_cx_pkt_t* packet = aom_codec_get_cx_data(&context_, &iterator)) {
      if (packet->kind != AOM_CODEC_CX_FRAME_PKT) continue;
      const auto* bytes = static_cast<const uint8_t*>(packet->data.frame.buf);
      chunk.data.insert(chunk.data.end(), bytes, bytes + packet->data.frame.sz);
      chunk.key = (packet->data.frame.flags & AOM_FRAME_IS_KEY) != 0;
    }
    if (chunk.data.empty()) throw std::runtime_error("libaom made no chunk of the picture");
    Check(aom_codec_control(&context_, AOME_GET_LAST_QUANTIZER_64, &chunk.quantizer), "tell the quantizer");
    last_quantizer_ = chunk.quantizer;
  }

  void Check(aom_codec_err_t status, const char* what) {
    if (status != AOM_CODEC_OK) throw std::runtime_error(std::string("libaom did not ") + what + ": " + Reason());
  }

  std::string Reason() {
    const char* detail = aom_codec_error_detail(&context_);
    return std::string(aom_codec_error(&context_)) + (detail == nullptr ? "" : std::string(", ") + detail);
  }

  aom_codec_ctx_t context_{};
  aom_codec_enc_cfg_t config_{};
  /** Of the frame before. */
  int last_quantizer_ = 0;
  /** Of the next picture. */
  int64_t picture_number_ = 0;
};

}  // namespace

std::unique_ptr<CodecEncoder> OpenAomEncoder(const EncoderOptions& options) {
  return std::make_unique<AomEncoder>(options);
}

}  // namespace framelock
