// Turns what cameras deliver into what encoders take.
#pragma once

#include <cstdint>
#include <vector>

#include "codec-encoder.h"

namespace framelock {

/** How much each input sample counts in one output sample, along one side; the shares of an output sample add up to kWhole. */
class AreaWeights {
 public:
  static constexpr int kWhole = 256;

  struct Span {
    int first = 0;
    /** One for each input sample from `first` on. */
    std::vector<uint16_t> shares;
  };

  AreaWeights(int input, int output);

  const std::vector<Span>& spans() const { return spans_; }

 private:
  std::vector<Span> spans_;
};

/**
 * Makes tightly packed I420 of the encoded size of I420 or NV12 of the input size. Scaling averages whole areas, so that what is scaled
 * down does not flicker. One call at a time; a picture that is right already is passed through without a copy.
 */
class PictureConverter {
 public:
  PictureConverter(PixelFormat format, PictureSize input, PictureSize encoded);

  /** The result is valid until the next call, and as long as `picture` is. */
  const uint8_t* Convert(const uint8_t* picture);

 private:
  void SplitChroma(const uint8_t* interleaved, uint8_t* planes) const;
  void Scale(const uint8_t* plane, int width, const AreaWeights& columns, const AreaWeights& rows, uint8_t* scaled);

  PixelFormat format_;
  PictureSize input_;
  PictureSize encoded_;
  AreaWeights luma_columns_, luma_rows_, chroma_columns_, chroma_rows_;
  std::vector<uint8_t> planar_, scaled_;
  std::vector<uint16_t> row_;
};

}  // namespace framelock
