// Writes raw frames for Framelock into a named pipe or a Unix socket (docs/sources.md). C++17 and POSIX, no libraries.
//
//   g++ -std=c++17 -O2 -o pipe_writer pipe_writer.cpp
//   mkfifo /run/front && ./pipe_writer pipe:/run/front
//   ./pipe_writer unix:/run/front.sock 640 480 15
//
// Arguments: place, width [640], height [480], frames per second [15], camera id [1], number of frames [0: no end].
// Draws a moving picture with a machine-readable bar code (frame number and capture time). When Framelock is not there, or goes away, it waits
// and connects again.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

namespace {

using Bytes = std::vector<std::uint8_t>;
using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC on Linux

constexpr std::size_t kHeaderBytes = 64;
constexpr std::uint32_t kClockMonotonic = 1;
constexpr auto kRetry = std::chrono::milliseconds(200);

// Little-endian, whatever the machine is.
void put(Bytes& target, std::size_t offset, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) target[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

// CRC-32 of ISO 3309, as in zlib.
std::uint32_t crc32(const std::uint8_t* data, std::size_t size) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (std::size_t i = 0; i < size; ++i) {
    crc ^= data[i];
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) ? 0xEDB88320u : 0);
  }
  return ~crc;
}

// CRC-16/CCITT-FALSE, which the bar code ends with.
std::uint16_t crc16(const std::uint8_t* data, std::size_t size) {
  std::uint16_t crc = 0xFFFF;
  for (std::size_t i = 0; i < size; ++i) {
    crc = static_cast<std::uint16_t>(crc ^ (data[i] << 8));
    for (int bit = 0; bit < 8; ++bit) crc = static_cast<std::uint16_t>((crc & 0x8000) ? (crc << 1) ^ 0x1021 : crc << 1);
  }
  return crc;
}

Bytes header_of(std::uint32_t width, std::uint32_t height, double fps, std::uint64_t number, std::uint64_t captured_us,
                std::uint32_t payload_bytes) {
  Bytes header(kHeaderBytes, 0);
  std::memcpy(header.data(), "FLRF", 4);
  put(header, 4, 1, 2);
  put(header, 6, kHeaderBytes, 2);
  std::memcpy(header.data() + 8, "I420", 4);
  put(header, 12, width, 4);
  put(header, 16, height, 4);
  put(header, 20, 0, 4);  // stride: tightly packed
  put(header, 24, static_cast<std::uint64_t>(fps * 1000), 4);
  put(header, 28, kClockMonotonic, 4);
  put(header, 32, captured_us, 8);
  put(header, 40, number, 8);
  put(header, 48, payload_bytes, 4);
  put(header, 60, crc32(header.data(), 60), 4);
  return header;
}

int edge(double part, int whole, int of) { return static_cast<int>(std::floor(part * whole / of + 0.5)); }

// 4 rows of 32 cells over the bottom 4/30 of the luma: a black and a white column, and 120 bits between them.
void draw_bar_code(Bytes& picture, int width, int height, std::uint8_t camera_id, std::uint32_t number, std::uint64_t captured_us) {
  std::array<std::uint8_t, 15> code{camera_id};
  for (int i = 0; i < 4; ++i) code[1 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  for (int i = 0; i < 8; ++i) code[5 + i] = static_cast<std::uint8_t>(captured_us >> (56 - 8 * i));
  const std::uint16_t sum = crc16(code.data(), 13);
  code[13] = static_cast<std::uint8_t>(sum >> 8);
  code[14] = static_cast<std::uint8_t>(sum);
  for (int row = 0; row < 4; ++row) {
    for (int column = 0; column < 32; ++column) {
      const int bit = row * 30 + column - 1;
      const bool white = column == 31 || (column > 0 && ((code[bit / 8] >> (7 - bit % 8)) & 1));
      for (int y = edge(26 + row, height, 30); y < edge(27 + row, height, 30); ++y) {
        std::fill(picture.begin() + y * width + edge(column, width, 32), picture.begin() + y * width + edge(column + 1, width, 32),
                  white ? 235 : 16);
      }
    }
  }
}

// Grey stripes that move, and the bar code.
Bytes picture_of(int width, int height, std::uint8_t camera_id, std::uint32_t number, std::uint64_t captured_us) {
  Bytes picture(static_cast<std::size_t>(width) * height * 3 / 2, 128);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) picture[y * width + x] = static_cast<std::uint8_t>(16 + (x * 4 + y + number * 3) % 200);
  }
  draw_bar_code(picture, width, height, camera_id, number, captured_us);
  return picture;
}

// Waits until somebody reads.
int open_output(const std::string& place) {
  const std::string path = place.substr(place.find(':') + 1);
  for (;;) {
    int file = -1;
    if (place.rfind("unix:", 0) == 0) {
      sockaddr_un address{};
      address.sun_family = AF_UNIX;
      std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
      file = socket(AF_UNIX, SOCK_STREAM, 0);
      if (connect(file, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        close(file);
        file = -1;
      }
    } else {
      file = open(path.c_str(), O_WRONLY);
    }
    if (file >= 0) return file;
    std::this_thread::sleep_for(kRetry);
  }
}

bool write_all(int file, const Bytes& data) {
  for (std::size_t done = 0; done < data.size();) {
    const ssize_t written = write(file, data.data() + done, data.size() - done);
    if (written < 0) return false;
    done += static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: pipe_writer pipe:/path|unix:/path [width [height [fps [camera-id [frames]]]]]\n");
    return 2;
  }
  const auto argument = [&](int index, double otherwise) { return index < argc ? std::atof(argv[index]) : otherwise; };
  const std::string place = argv[1];
  const int width = static_cast<int>(argument(2, 640));
  const int height = static_cast<int>(argument(3, 480));
  const double fps = argument(4, 15);
  const auto camera_id = static_cast<std::uint8_t>(argument(5, 1));
  const auto frames = static_cast<std::uint32_t>(argument(6, 0));
  // A write that nobody reads is an error and not the end.
  std::signal(SIGPIPE, SIG_IGN);
  int file = -1;
  auto due = Clock::now();
  for (std::uint32_t number = 0; frames == 0 || number < frames;) {
    if (file < 0) file = open_output(place);
    const auto captured_us = static_cast<std::uint64_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now().time_since_epoch()).count());
    const Bytes picture = picture_of(width, height, camera_id, number, captured_us);
    const Bytes header = header_of(width, height, fps, number, captured_us, static_cast<std::uint32_t>(picture.size()));
    if (!write_all(file, header) || !write_all(file, picture)) {
      std::perror("pipe_writer: connecting again");
      close(file);
      file = -1;
      // There may be another writer, to which it listens.
      std::this_thread::sleep_for(kRetry);
      continue;
    }
    ++number;
    due = std::max(due + std::chrono::microseconds(static_cast<std::int64_t>(1e6 / fps)), Clock::now());
    std::this_thread::sleep_until(due);
  }
  if (file >= 0) close(file);
}
