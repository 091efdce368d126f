#include "scene-detector.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace framelock {
namespace {

/** Pictures are shrunk until they are no wider than this. */
constexpr int kWidth = 160;
constexpr int kBlock = 8;

/** Steps of one pixel that the search for motion goes at most, from where the block beside came from. */
constexpr int kSearchSteps = 8;

/** Contrast below which a block has no detail that could be new, in luma steps a pixel. */
constexpr unsigned kLeastContrast = 1;

/**
 * Another scene has so many times as much that is new as the pictures before it, and so much more in all; motion sets in over several pictures.
 * Measured: 0.02 to 0.2 on moving cameras, from picture to picture within a tenth of that; 0.45 and more on cuts between much alike scenes.
 */
constexpr double kSudden = 1.6;
constexpr double kLeastJump = 0.1;

/** Weight of one picture in the average. */
constexpr double kSmoothing = 0.25;

}  // namespace

SceneDetector::SceneDetector(PictureSize size)
    : full_(size),
      factor_(std::max(1, (std::max(size.width, size.height) + kWidth - 1) / kWidth)),
      size_{size.width / factor_ / kBlock * kBlock, size.height / factor_ / kBlock * kBlock},
      picture_(static_cast<size_t>(size_.width) * static_cast<size_t>(size_.height)),
      before_(picture_.size()),
      sums_(static_cast<size_t>(size.width)) {}

SceneDetector::Scene SceneDetector::Observe(const uint8_t* luma, bool is_key_frame) {
  picture_.swap(before_);
  Shrink(luma);
  Measure();
  Scene scene;
  // Pictures of less than a block are not looked at.
  scene.is_other = has_before_ && detail_ > 0 && IsOther();
  if (known_detail_ > 0 && detail_ > known_detail_) {
    scene.more_detail = std::log2(static_cast<double>(detail_) / static_cast<double>(known_detail_));
  }
  if (is_key_frame || (scene.is_other && detail_ > known_detail_)) known_detail_ = detail_;
  has_before_ = true;
  return scene;
}

bool SceneDetector::IsOther() {
  const double share = static_cast<double>(new_detail_) / static_cast<double>(detail_);
  const double average = average_share_ < 0 ? share : average_share_;
  const double usual = std::max(average, last_share_);
  const bool is_other = share > std::max(usual * kSudden, usual + kLeastJump);
  last_share_ = share;
  // A cut says nothing about the motion that follows; if it was motion that set in, the next picture says so.
  if (!is_other) average_share_ = average + kSmoothing * (share - average);
  return is_other;
}

void SceneDetector::Shrink(const uint8_t* luma) {
  const unsigned area = static_cast<unsigned>(factor_ * factor_);
  const size_t used = static_cast<size_t>(size_.width * factor_);
  for (int y = 0; y < size_.height; ++y) {
    std::fill(sums_.begin(), sums_.end(), 0u);
    for (int row = 0; row < factor_; ++row) {
      const uint8_t* source = luma + static_cast<size_t>(y * factor_ + row) * static_cast<size_t>(full_.width);
      for (size_t x = 0; x < used; ++x) sums_[x] += source[x];
    }
    uint8_t* target = picture_.data() + static_cast<size_t>(y) * static_cast<size_t>(size_.width);
    for (size_t x = 0; x < static_cast<size_t>(size_.width); ++x) {
      unsigned sum = 0;
      for (size_t column = 0; column < static_cast<size_t>(factor_); ++column) {
        sum += sums_[x * static_cast<size_t>(factor_) + column];
      }
      target[x] = static_cast<uint8_t>(sum / area);
    }
  }
}

void SceneDetector::Measure() {
  detail_ = 0;
  new_detail_ = 0;
  for (int y = 0; y < size_.height; y += kBlock) {
    Motion motion;
    for (int x = 0; x < size_.width; x += kBlock) {
      const uint8_t* block = picture_.data() + y * size_.width + x;
      unsigned sum = 0;
      for (int row = 0; row < kBlock; ++row) {
        for (int column = 0; column < kBlock; ++column) sum += block[row * size_.width + column];
      }
      const int mean = static_cast<int>(sum / (kBlock * kBlock));
      unsigned contrast = 0;
      for (int row = 0; row < kBlock; ++row) {
        for (int column = 0; column < kBlock; ++column) {
          contrast += static_cast<unsigned>(std::abs(block[row * size_.width + column] - mean));
        }
      }
      // What is predicted worse than from its own mean is coded without a prediction.
      new_detail_ += std::min(LeastDifference(x, y, motion), contrast);
      detail_ += std::max(contrast, kLeastContrast * kBlock * kBlock);
    }
  }
}

unsigned SceneDetector::LeastDifference(int x, int y, Motion& motion) const {
  Motion best;
  unsigned least = Difference(x, y, best);
  const auto consider = [&](Motion candidate) {
    const unsigned difference = Difference(x, y, candidate);
    if (difference >= least) return false;
    least = difference;
    best = candidate;
    return true;
  };
  consider(motion);
  for (int step = 0; step < kSearchSteps; ++step) {
    const Motion centre = best;
    bool is_better = false;
    for (const Motion& neighbour : {Motion{1, 0}, Motion{-1, 0}, Motion{0, 1}, Motion{0, -1}}) {
      is_better |= consider({centre.x + neighbour.x, centre.y + neighbour.y});
    }
    if (!is_better) break;
  }
  motion = best;
  return least;
}

/** Of a block from the picture before, moved there; the largest there is where that lies outside. */
unsigned SceneDetector::Difference(int x, int y, Motion motion) const {
  const int from_x = x + motion.x;
  const int from_y = y + motion.y;
  if (from_x < 0 || from_y < 0 || from_x + kBlock > size_.width || from_y + kBlock > size_.height) return ~0u;
  const uint8_t* block = picture_.data() + y * size_.width + x;
  const uint8_t* reference = before_.data() + from_y * size_.width + from_x;
  unsigned difference = 0;
  for (int row = 0; row < kBlock; ++row) {
    for (int column = 0; column < kBlock; ++column) {
      difference += static_cast<unsigned>(std::abs(block[column] - reference[column]));
    }
    block += size_.width;
    reference += size_.width;
  }
  return difference;
}

}  // namespace framelock
