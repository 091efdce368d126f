// Sees a change of scene before it is encoded, so that it does not become a frame of ten times the size.
#pragma once

#include <cstdint>
#include <vector>

#include "codec-encoder.h"

namespace framelock {

/**
 * Tells pictures that the one before predicts badly: by motion compensation of blocks, as an encoder does, but on pictures shrunk to 160 pixels,
 * which takes 0.1 to 0.4 ms. It finds the cuts between scenes of the same brightness, which `SceneChangeDetector` of src/encoder does not, and
 * is not taken in by motion. One call at a time.
 */
class SceneDetector {
 public:
  explicit SceneDetector(PictureSize size);

  struct Scene {
    /** Whether the picture has little to do with the one before. Never for the first two, which tell how much moves. */
    bool is_other = false;
    /** How much more detail it has than the pictures whose size is known, those of key frames and of other scenes; in octaves, at least 0. */
    double more_detail = 0;
  };

  /** Takes the next picture, and whether it will be a key frame. */
  Scene Observe(const uint8_t* luma, bool is_key_frame);

 private:
  struct Motion {
    int x = 0;
    int y = 0;
  };

  void Shrink(const uint8_t* luma);
  /** Tells detail from what is new of it. */
  void Measure();
  bool IsOther();
  unsigned Difference(int x, int y, Motion motion) const;
  unsigned LeastDifference(int x, int y, Motion& motion) const;

  PictureSize full_;
  int factor_;
  PictureSize size_;
  std::vector<uint8_t> picture_, before_;
  std::vector<unsigned> sums_;
  uint64_t detail_ = 0;
  uint64_t new_detail_ = 0;
  uint64_t known_detail_ = 0;
  bool has_before_ = false;
  double last_share_ = 0;
  double average_share_ = -1;
};

}  // namespace framelock
