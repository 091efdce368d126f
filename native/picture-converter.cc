#include "picture-converter.h"

#include <algorithm>
#include <cmath>

namespace framelock {

AreaWeights::AreaWeights(int input, int output) {
  const double step = static_cast<double>(input) / output;
  for (int index = 0; index < output; ++index) {
    const double from = index * step;
    const double to = from + step;
    Span span;
    span.first = static_cast<int>(from);
    const int end = std::min(input, static_cast<int>(std::ceil(to - 1e-9)));
    // Rounded sums, not rounded shares: these add up.
    int given = 0;
    for (int sample = span.first; sample < end; ++sample) {
      const double covered = (std::min<double>(sample + 1, to) - from) / step;
      const int sum = sample + 1 == end ? kWhole : static_cast<int>(std::lround(covered * kWhole));
      span.shares.push_back(static_cast<uint16_t>(sum - given));
      given = sum;
    }
    spans_.push_back(std::move(span));
  }
}

PictureConverter::PictureConverter(PixelFormat format, PictureSize input, PictureSize encoded)
    : format_(format),
      input_(input),
      encoded_(encoded),
      luma_columns_(input.width, encoded.width),
      luma_rows_(input.height, encoded.height),
      chroma_columns_(input.width / 2, encoded.width / 2),
      chroma_rows_(input.height / 2, encoded.height / 2) {
  if (format != PixelFormat::kI420) planar_.resize(PictureBytes(input));
  if (!(input == encoded)) {
    scaled_.resize(PictureBytes(encoded));
    row_.resize(static_cast<size_t>(input.width));
  }
}

const uint8_t* PictureConverter::Convert(const uint8_t* picture) {
  const bool scales = !(input_ == encoded_);
  const size_t luma = static_cast<size_t>(input_.width) * static_cast<size_t>(input_.height);
  const uint8_t* chroma = picture + luma;
  if (format_ == PixelFormat::kNv12) {
    SplitChroma(chroma, planar_.data() + luma);
    if (!scales) std::copy_n(picture, luma, planar_.data());
    chroma = planar_.data() + luma;
  }
  if (!scales) return format_ == PixelFormat::kI420 ? picture : planar_.data();

  uint8_t* target = scaled_.data();
  Scale(picture, input_.width, luma_columns_, luma_rows_, target);
  target += static_cast<size_t>(encoded_.width) * static_cast<size_t>(encoded_.height);
  for (int plane = 0; plane < 2; ++plane) {
    Scale(chroma + luma / 4 * static_cast<size_t>(plane), input_.width / 2, chroma_columns_, chroma_rows_, target);
    target += static_cast<size_t>(encoded_.width / 2) * static_cast<size_t>(encoded_.height / 2);
  }
  return scaled_.data();
}

void PictureConverter::SplitChroma(const uint8_t* interleaved, uint8_t* planes) const {
  const size_t samples = PictureBytes(input_) / 6;
  uint8_t* u = planes;
  uint8_t* v = planes + samples;
  for (size_t index = 0; index < samples; ++index) {
    u[index] = interleaved[2 * index];
    v[index] = interleaved[2 * index + 1];
  }
}

void PictureConverter::Scale(const uint8_t* plane, int width, const AreaWeights& columns, const AreaWeights& rows,
                             uint8_t* scaled) {
  const size_t stride = static_cast<size_t>(width);
  // Rows first: that loop is the long one, and compilers make vectors of it. 255 * kWhole just fits into 16 bits.
  for (const auto& [first_row, row_shares] : rows.spans()) {
    std::fill_n(row_.begin(), stride, uint16_t{0});
    const uint8_t* source = plane + static_cast<size_t>(first_row) * stride;
    for (const uint16_t share : row_shares) {
      for (size_t x = 0; x < stride; ++x) row_[x] = static_cast<uint16_t>(row_[x] + source[x] * share);
      source += stride;
    }
    for (const auto& [first, shares] : columns.spans()) {
      const uint16_t* sample = row_.data() + first;
      uint32_t sum = AreaWeights::kWhole * AreaWeights::kWhole / 2;
      for (const uint16_t share : shares) sum += static_cast<uint32_t>(*sample++) * share;
      *scaled++ = static_cast<uint8_t>(sum / (AreaWeights::kWhole * AreaWeights::kWhole));
    }
  }
}

}  // namespace framelock
