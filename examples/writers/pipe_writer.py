#!/usr/bin/env python3
"""Writes raw frames for Framelock into a named pipe or a Unix socket (docs/sources.md). Standard library only.

  mkfifo /run/front && ./pipe_writer.py pipe:/run/front
  ./pipe_writer.py unix:/run/front.sock --width 640 --height 480 --fps 15

Draws a moving picture with a machine-readable bar code (frame number and capture time). When Framelock is not there, or goes away, it
waits and connects again. Ctrl-C ends it.
"""

import argparse
import os
import signal
import socket
import struct
import sys
import time
import zlib

# magic, version, header length, pixel format, width, height, stride, frame rate in mHz, capture clock, capture time in us, frame number,
# payload length, reserved; then the CRC-32 of all that.
HEADER = struct.Struct("<4sHH4sIIIIIQQIQ")
CLOCK_MONOTONIC = 1
RETRY_SECONDS = 0.2


def header(width, height, fps, number, captured_us, payload_bytes):
    fields = HEADER.pack(
        b"FLRF", 1, HEADER.size + 4, b"I420", width, height, 0, int(fps * 1000), CLOCK_MONOTONIC, captured_us, number, payload_bytes, 0
    )
    return fields + struct.pack("<I", zlib.crc32(fields))


def crc16(data):
    """CRC-16/CCITT-FALSE, which the bar code ends with."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = ((crc << 1) ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def draw_bar_code(picture, width, height, camera_id, number, captured_us):
    """4 rows of 32 cells over the bottom 4/30 of the luma: a black and a white column, and 120 bits between them."""
    code = struct.pack(">BIQ", camera_id, number & 0xFFFFFFFF, captured_us)
    bits = int.from_bytes(code + struct.pack(">H", crc16(code)), "big")
    edges = [int(column * width / 32 + 0.5) for column in range(33)]
    for row in range(4):
        line = bytearray()
        for column in range(32):
            bit = column == 31 or (0 < column and bits >> (119 - row * 30 - column + 1) & 1)
            line += bytes([235 if bit else 16]) * (edges[column + 1] - edges[column])
        for y in range(int((26 + row) * height / 30 + 0.5), int((27 + row) * height / 30 + 0.5)):
            picture[y * width : (y + 1) * width] = line
    first_chroma_row = int(26 * height / 30 + 0.5) // 2
    for plane in range(2):
        start = width * height + plane * width * height // 4
        first = start + first_chroma_row * width // 2
        picture[first : start + width * height // 4] = bytes([128]) * (start + width * height // 4 - first)


def picture_of(width, height, camera_id, number, captured_us):
    """Grey stripes that move, and the bar code."""
    row = bytes(16 + (x * 4 + number * 3) % 200 for x in range(width))
    picture = bytearray(row * height + bytes([128]) * (width * height // 2))
    draw_bar_code(picture, width, height, camera_id, number, captured_us)
    return picture


class Output:
    """A pipe or a socket, opened again whenever nobody reads any more."""

    def __init__(self, place):
        self.kind, _, self.path = place.partition(":")
        self.file = None

    def write(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(self.file, view) :]

    def open(self):
        """Waits until somebody reads."""
        while self.file is None:
            try:
                if self.kind == "unix":
                    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                    connection.connect(self.path)
                    self.file = connection.detach()
                else:
                    self.file = os.open(self.path, os.O_WRONLY)
            except OSError:
                time.sleep(RETRY_SECONDS)

    def close(self):
        if self.file is not None:
            os.close(self.file)
        self.file = None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("place", help="pipe:/path or unix:/path, as in Framelock's configuration")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--fps", type=float, default=15)
    parser.add_argument("--camera-id", type=int, default=1)
    parser.add_argument("--frames", type=int, default=0, help="ends after so many; 0: never")
    options = parser.parse_args()
    # A write that nobody reads is an error and not the end.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    output = Output(options.place)
    number = 0
    due = time.monotonic()
    while options.frames == 0 or number < options.frames:
        output.open()
        captured_us = time.monotonic_ns() // 1000
        picture = picture_of(options.width, options.height, options.camera_id, number, captured_us)
        try:
            output.write(header(options.width, options.height, options.fps, number, captured_us, len(picture)))
            output.write(picture)
        except OSError as error:
            print(f"pipe_writer: {error}; connecting again", file=sys.stderr)
            output.close()
            # There may be another writer, to which it listens.
            time.sleep(RETRY_SECONDS)
            continue
        number += 1
        due = max(due + 1 / options.fps, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))
    output.close()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
