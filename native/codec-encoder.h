// What an encoder of any library looks like from the outside. Knows neither JavaScript nor threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace framelock {

enum class PixelFormat { kI420, kNv12 };

struct PictureSize {
  int width = 0;
  int height = 0;

  bool operator==(const PictureSize& other) const { return width == other.width && height == other.height; }
};

/** Bytes of a tightly packed picture: 12 bits a pixel in both formats. */
inline size_t PictureBytes(PictureSize size) {
  return static_cast<size_t>(size.width) * static_cast<size_t>(size.height) * 3 / 2;
}

struct EncoderOptions {
  std::string codec;
  PixelFormat format = PixelFormat::kI420;
  /** Of the pictures that come in, and of those that are encoded: even, and not larger. */
  PictureSize input;
  PictureSize encoded;
  int threads = 1;
  /** Whether some frames will be discardable. */
  bool temporal_layers = false;
};

struct FrameSettings {
  bool key_frame = false;
  /** Whether no later frame may refer to it, nor depend on it in any other way. Only with `temporal_layers`, and never a key frame. */
  bool discardable = false;
  /** From 0 to 63: of the whole picture, but that still parts of a delta frame may be refined. */
  int quantizer = 63;
  /** For a delta frame whose scene turns out to be another one; not less. */
  int other_scene_quantizer = 63;
};

struct Chunk {
  std::vector<uint8_t> data;
  bool key = false;
  /** Whether no later frame may depend on it. */
  bool discardable = false;
  /** What the library used, from 0 to 63. */
  int quantizer = 0;
};

/**
 * The rate that the libraries themselves aim at, in kbit/s, where nothing fits: so every frame gets the largest quantizer that is allowed, which
 * is set for each. The rate is held by whoever chooses it.
 */
constexpr unsigned kUnreachableKilobits = 10;

/** The finest quantizer that cyclic refresh may use for still parts. */
constexpr unsigned kFinestQuantizer = 2;

/** How much coarser than the frame before a frame may be without being told exactly. */
constexpr int kLargestFreeStep = 2;

/** One open encoder. Calls must not overlap, and may come from any thread. Throws std::runtime_error. */
class CodecEncoder {
 public:
  virtual ~CodecEncoder() = default;
  /** @param picture tightly packed I420 of the encoded size */
  virtual void Encode(const uint8_t* picture, const FrameSettings& settings, Chunk& chunk) = 0;
};

/** Throws std::runtime_error with the library's words. Only those whose library was found are built (scripts/build-native.mjs). */
std::unique_ptr<CodecEncoder> OpenVpxEncoder(const EncoderOptions& options);
std::unique_ptr<CodecEncoder> OpenAomEncoder(const EncoderOptions& options);

}  // namespace framelock
