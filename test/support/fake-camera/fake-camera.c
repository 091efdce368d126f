// A camera of Linux without a kernel: loaded by LD_PRELOAD, it answers what a process asks a certain path in place of a V4L2 driver (linux/videodev2.h). One format, one
// size, memory-mapped buffers, reads that do not wait. It is unplugged when the file at its path goes: every call fails with ENODEV from then on.
//
//   FAKE_CAMERA         path that is the camera, any file
//   FAKE_CAMERA_FRAMES  its pictures, one behind the other: length (32 bits of this machine) and bytes; repeated without end
//   FAKE_CAMERA_FORMAT  four characters, as in V4L2: YUYV, MJPG
//   FAKE_CAMERA_WIDTH, FAKE_CAMERA_HEIGHT, FAKE_CAMERA_FPS
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FDS = 4096, MAX_BUFFERS = 8, BUFFER_DISTANCE = 0x1000000 };

struct camera {
  int is_open, is_streaming;
  unsigned buffers, sequence;
  void *memory[MAX_BUFFERS];
  unsigned queue[MAX_BUFFERS], queued;
  int64_t next_us;
  FILE *frames;
};

static struct camera cameras[MAX_FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *text_of(const char *name) {
  const char *text = getenv(name);
  return text == NULL ? "" : text;
}

static unsigned number_of(const char *name) { return (unsigned)strtoul(text_of(name), NULL, 10); }

static unsigned buffer_bytes(void) {
  return number_of("FAKE_CAMERA_WIDTH") * number_of("FAKE_CAMERA_HEIGHT") * 2;
}

static uint32_t fourcc(void) {
  const char *name = text_of("FAKE_CAMERA_FORMAT");
  return strlen(name) == 4 ? v4l2_fourcc(name[0], name[1], name[2], name[3]) : 0;
}

static int is_unplugged(void) { return access(text_of("FAKE_CAMERA"), F_OK) != 0; }

static int64_t now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int fail(int code) {
  errno = code;
  return -1;
}

static struct camera *camera_of(int fd) {
  return fd >= 0 && fd < MAX_FDS && cameras[fd].is_open ? &cameras[fd] : NULL;
}

static void fill_format(struct v4l2_format *format) {
  struct v4l2_pix_format *picture = &format->fmt.pix;
  const uint32_t pixels = fourcc();
  memset(picture, 0, sizeof *picture);
  picture->width = number_of("FAKE_CAMERA_WIDTH");
  picture->height = number_of("FAKE_CAMERA_HEIGHT");
  picture->pixelformat = pixels;
  picture->field = V4L2_FIELD_NONE;
  picture->bytesperline = pixels == V4L2_PIX_FMT_YUYV ? picture->width * 2 : 0;
  picture->sizeimage = buffer_bytes();
  picture->colorspace = V4L2_COLORSPACE_SRGB;
}

static void fill_rate(struct v4l2_streamparm *rate) {
  struct v4l2_captureparm *capture = &rate->parm.capture;
  memset(capture, 0, sizeof *capture);
  capture->capability = V4L2_CAP_TIMEPERFRAME;
  capture->timeperframe.numerator = 1;
  capture->timeperframe.denominator = number_of("FAKE_CAMERA_FPS");
}

/** The next picture of the file, into a buffer. Returns its length. */
static uint32_t read_picture(struct camera *camera, void *target) {
  uint32_t length = 0;
  for (int attempt = 0; attempt < 2; attempt += 1) {
    if (fread(&length, sizeof length, 1, camera->frames) == 1) break;
    rewind(camera->frames);
  }
  if (length > buffer_bytes()) return 0;
  return fread(target, 1, length, camera->frames) == length ? length : 0;
}

static int dequeue(struct camera *camera, struct v4l2_buffer *buffer) {
  const int64_t due_us = camera->next_us;
  if (!camera->is_streaming) return fail(EINVAL);
  if (camera->queued == 0 || now_us() < due_us) return fail(EAGAIN);
  const unsigned index = camera->queue[0];
  camera->queued -= 1;
  memmove(camera->queue, camera->queue + 1, camera->queued * sizeof camera->queue[0]);
  memset(buffer, 0, sizeof *buffer);
  buffer->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
  buffer->memory = V4L2_MEMORY_MMAP;
  buffer->index = index;
  buffer->length = buffer_bytes();
  buffer->bytesused = read_picture(camera, camera->memory[index]);
  buffer->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
  buffer->field = V4L2_FIELD_NONE;
  buffer->sequence = camera->sequence++;
  buffer->timestamp.tv_sec = due_us / 1000000;
  buffer->timestamp.tv_usec = due_us % 1000000;
  camera->next_us = due_us + 1000000 / number_of("FAKE_CAMERA_FPS");
  return 0;
}

static int enqueue(struct camera *camera, struct v4l2_buffer *buffer) {
  if (buffer->index >= camera->buffers) return fail(EINVAL);
  for (unsigned place = 0; place < camera->queued; place += 1)
    if (camera->queue[place] == buffer->index) return fail(EINVAL);
  camera->queue[camera->queued++] = buffer->index;
  return 0;
}

static int answer(struct camera *camera, unsigned request, void *argument) {
  switch (request) {
    case (unsigned)VIDIOC_QUERYCAP: {
      struct v4l2_capability *facts = argument;
      memset(facts, 0, sizeof *facts);
      strcpy((char *)facts->driver, "fake");
      strcpy((char *)facts->card, "Fake camera");
      facts->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
      facts->capabilities = facts->device_caps | V4L2_CAP_DEVICE_CAPS;
      return 0;
    }
    case (unsigned)VIDIOC_G_INPUT:
      *(int *)argument = 0;
      return 0;
    case (unsigned)VIDIOC_S_INPUT:
      return *(int *)argument == 0 ? 0 : fail(EINVAL);
    case (unsigned)VIDIOC_ENUMINPUT: {
      struct v4l2_input *input = argument;
      if (input->index != 0) return fail(EINVAL);
      memset(input, 0, sizeof *input);
      input->type = V4L2_INPUT_TYPE_CAMERA;
      return 0;
    }
    case (unsigned)VIDIOC_ENUM_FMT: {
      struct v4l2_fmtdesc *format = argument;
      if (format->index != 0 || format->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return fail(EINVAL);
      format->flags = fourcc() == V4L2_PIX_FMT_MJPEG ? V4L2_FMT_FLAG_COMPRESSED : 0;
      format->pixelformat = fourcc();
      return 0;
    }
    case (unsigned)VIDIOC_ENUM_FRAMESIZES: {
      struct v4l2_frmsizeenum *size = argument;
      if (size->index != 0 || size->pixel_format != fourcc()) return fail(EINVAL);
      size->type = V4L2_FRMSIZE_TYPE_DISCRETE;
      size->discrete.width = number_of("FAKE_CAMERA_WIDTH");
      size->discrete.height = number_of("FAKE_CAMERA_HEIGHT");
      return 0;
    }
    case (unsigned)VIDIOC_ENUM_FRAMEINTERVALS: {
      struct v4l2_frmivalenum *interval = argument;
      if (interval->index != 0 || interval->pixel_format != fourcc()) return fail(EINVAL);
      interval->type = V4L2_FRMIVAL_TYPE_DISCRETE;
      interval->discrete.numerator = 1;
      interval->discrete.denominator = number_of("FAKE_CAMERA_FPS");
      return 0;
    }
    // A driver gives what it has, whatever it is asked for.
    case (unsigned)VIDIOC_G_FMT:
    case (unsigned)VIDIOC_S_FMT:
      fill_format(argument);
      return 0;
    case (unsigned)VIDIOC_G_PARM:
    case (unsigned)VIDIOC_S_PARM:
      fill_rate(argument);
      return 0;
    case (unsigned)VIDIOC_REQBUFS: {
      struct v4l2_requestbuffers *wanted = argument;
      if (wanted->memory != V4L2_MEMORY_MMAP) return fail(EINVAL);
      if (wanted->count > MAX_BUFFERS) wanted->count = MAX_BUFFERS;
      camera->buffers = wanted->count;
      camera->queued = 0;
      return 0;
    }
    case (unsigned)VIDIOC_QUERYBUF: {
      struct v4l2_buffer *buffer = argument;
      if (buffer->index >= camera->buffers) return fail(EINVAL);
      buffer->length = buffer_bytes();
      buffer->m.offset = buffer->index * BUFFER_DISTANCE;
      return 0;
    }
    case (unsigned)VIDIOC_QBUF:
      return enqueue(camera, argument);
    case (unsigned)VIDIOC_DQBUF:
      return dequeue(camera, argument);
    case (unsigned)VIDIOC_STREAMON:
      camera->is_streaming = 1;
      camera->next_us = now_us();
      return 0;
    case (unsigned)VIDIOC_STREAMOFF:
      camera->is_streaming = 0;
      camera->queued = 0;
      return 0;
    default:
      return fail(ENOTTY);
  }
}

static int open_any(const char *path, int flags, mode_t mode) {
  const int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
  const char *device = text_of("FAKE_CAMERA");
  if (fd < 0 || fd >= MAX_FDS || *device == '\0' || strcmp(path, device) != 0) return fd;
  pthread_mutex_lock(&lock);
  memset(&cameras[fd], 0, sizeof cameras[fd]);
  cameras[fd].frames = fopen(text_of("FAKE_CAMERA_FRAMES"), "rbe");
  cameras[fd].is_open = cameras[fd].frames != NULL;
  pthread_mutex_unlock(&lock);
  return fd;
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | __O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

int open(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = mode_of(flags, rest);
  va_end(rest);
  return open_any(path, flags, mode);
}

// Whatever concerns no camera takes no lock: this process may fork, and its child would wait for ever.

int ioctl(int fd, unsigned long request, ...) {
  va_list rest;
  va_start(rest, request);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  struct camera *camera = camera_of(fd);
  if (camera == NULL) return (int)syscall(SYS_ioctl, fd, request, argument);
  pthread_mutex_lock(&lock);
  const int result = is_unplugged() ? fail(ENODEV) : answer(camera, (unsigned)request, argument);
  const int code = errno;
  pthread_mutex_unlock(&lock);
  errno = code;
  return result;
}

/** A buffer of the camera is memory of this process. */
static void *map_any(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  struct camera *camera = camera_of(fd);
  const unsigned index = (unsigned)(offset / BUFFER_DISTANCE);
  if (camera == NULL || index >= MAX_BUFFERS) {
    return (void *)syscall(SYS_mmap, address, length, protection, flags, fd, offset);
  }
  void *memory = (void *)syscall(SYS_mmap, address, length, protection, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutex_lock(&lock);
  camera->memory[index] = memory;
  pthread_mutex_unlock(&lock);
  return memory;
}

void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
  return map_any(address, length, protection, flags, fd, offset);
}

void *mmap64(void *address, size_t length, int protection, int flags, int fd, off64_t offset) {
  return map_any(address, length, protection, flags, fd, offset);
}

int close(int fd) {
  struct camera *camera = camera_of(fd);
  if (camera != NULL) {
    pthread_mutex_lock(&lock);
    FILE *frames = camera->frames;
    memset(camera, 0, sizeof *camera);
    pthread_mutex_unlock(&lock);
    fclose(frames);
  }
  return (int)syscall(SYS_close, fd);
}
