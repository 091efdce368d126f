import type { HelpTopic } from './command-line.js';
import { ENCODING_HELP } from './encoding-options.js';
import { ICE_HELP } from './ice-options.js';

const OVERVIEW = `framelock - many cameras, one real-time encoder each, one WebRTC connection

Usage
  framelock demo [FILE...]       cameras, a loopback SFU and a page with the live video; no configuration
  framelock publish ...          cameras to an SFU, over WHIP or to a room of Janus or LiveKit
  framelock serve --config FILE  publishers and cameras of a configuration, controlled over HTTP
  framelock probe [--json]       which cameras there are and which encoders work on this machine
  framelock bench [NAME]         how many cameras this machine can send, and how quickly
  framelock help [COMMAND]       options and examples of a command
  framelock --version`;

const DEMO = `framelock demo [FILE...] [options]

Two test-pattern cameras (one VP8, one H.264), and any video files or URLs given, through the loopback SFU
to a page that shows them live and controls the sender.

Options
  --port PORT        port of the page on 127.0.0.1                         [8080]
  --bitrate RATE     most that all cameras together may use, as 2500k    [4M]
${ENCODING_HELP}
  --json             one JSON status line a second instead of the table

Examples
  framelock demo
  framelock demo --port 9000 front.mp4 rear.mp4
  framelock demo --isolation process`;

const PUBLISH = `framelock publish --source SOURCE [--source SOURCE...] --whip URL [options]
framelock publish --source SOURCE [--source SOURCE...] --janus URL --room ROOM [options]
framelock publish --source SOURCE [--source SOURCE...] --livekit URL [options]

Publishes cameras to an SFU. A lost connection is taken up again until Ctrl-C.

Sources
  test               test pattern, 1280x720 at 30 fps
  test:640x480@15    test pattern of that size and rate
  v4l2:/dev/video0   a camera; v4l2:/dev/video0?width=1280&height=720&fps=30&format=mjpeg asks for a format
  pipe:/run/front    raw frames that another program writes into a named pipe, or
  unix:/run/front    into a Unix socket (docs/sources.md; examples/writers)
  FILE or URL        any video that FFmpeg reads; files are looped

Options
  --whip URL         the SFU's WHIP endpoint
  --janus URL        Janus' WebSocket, for example ws://127.0.0.1:8188
  --room ROOM        its VideoRoom: a number, or a name where Janus has string_ids
  --pin PIN          of the room; better in the environment, as FRAMELOCK_PIN
  --livekit URL      a LiveKit server by its own signalling, for example wss://robots.example; with a token, or with
                     LIVEKIT_API_KEY and LIVEKIT_API_SECRET in the environment and
  --room ROOM        its room, and
  --identity NAME    by which others know this robot there
  --token TOKEN      WHIP's bearer token, Janus' or LiveKit's token; better in the environment, as FRAMELOCK_TOKEN
${ICE_HELP}
  --codec CODEC      vp8, vp9, h264 or av1                                 [vp8]
  --bitrate RATE     most that all cameras together may use, as 2500k    [2M]
${ENCODING_HELP}
  --json             one JSON status line a second instead of the table

Examples
  framelock publish --source test --whip http://127.0.0.1:8080/whip/demo
  FRAMELOCK_PIN=... framelock publish --source test --source rear.mp4 --janus ws://127.0.0.1:8188 --room 1234
  LIVEKIT_API_KEY=... LIVEKIT_API_SECRET=... framelock publish --source test --livekit ws://127.0.0.1:7880 --room yard --identity robot-7
  FRAMELOCK_TOKEN=... framelock publish --source front.mp4 --codec h264 --whip https://sfu.example/whip/robot-7`;

const SERVE = `framelock serve --config FILE [--check]

Runs the publishers of a configuration, each with its cameras and its SFU, and the HTTP API that controls them (docs/service.md).
SIGHUP, or POST /v1/reload, reads the configuration again and leaves alone what has not changed; SIGTERM drains and ends with 0.
Logs JSON lines; video goes on when they cannot be written.

Options
  --config FILE      YAML or JSON; values may name variables of the environment
  --check            checks the configuration and does nothing else

Examples
  framelock serve --config robot.yaml
  framelock serve --config robot.yaml --check`;

const PROBE = `framelock probe [--json]

Tries every encoder that FFmpeg has here, in software and in hardware: opens it at 640x480 and 30 fps (Opus: 48 kHz, mono) and
encodes one frame, in a process of its own, so that a driver that crashes or hangs does no harm. Prints which work, how long
opening and the first frame took, and why the others do not work; and whether the optional native encoders are built. Lists the
cameras that the kernel knows (V4L2) and whether this user may open them; none is opened.

Options
  --json             one line of JSON: {"encoders":[{"codec","encoderName","kind","opens","openMs","encodeMs","reason"},...],
                     "native":{"state","codecs"},"cameras":[{"device","name","index","accessible","group"},...]}`;

const BENCH = `framelock bench [NAME] [options]

Measures this machine: with pictures that are drawn ahead, real encoders and a loopback SFU in a process of its own. Nothing leaves
the machine. Figures are comparable on one machine, and only if nothing else runs on it (docs/benchmarks.md).

Benchmarks
  capacity           how many cameras it encodes and sends at 30 fps, by codec and size; 5 min         [default]
  latency            from the frame to the SFU, by stage: mailbox, encoder, pacer, network; 1 to 3 min
  api                round trips of the control API at 100 a second while four cameras are live; 2 min

Options
  --quick            half a minute or so, with fewer samples; capacity at 1280x720 only
  --json FILE        writes {"bench","node","cpu","metrics":{NAME:NUMBER,...}}, too; - for the standard output, in place of the table

Examples
  framelock bench
  framelock bench --quick --json capacity.json
  framelock bench latency --json - | jq .metrics.arrived_ms_p99`;

const TEXTS: Readonly<Record<HelpTopic, string>> = {
  demo: DEMO,
  publish: PUBLISH,
  serve: SERVE,
  probe: PROBE,
  bench: BENCH,
};

const EXIT = `
Exit codes: 0 done or drained after Ctrl-C, 1 failure, 2 usage, 3 source, 4 SFU, 5 port in use, 130 benchmark interrupted`;

/** The help text of the program or of one command. */
export function helpText(topic?: HelpTopic): string {
  const text = topic === undefined ? OVERVIEW : TEXTS[topic];
  return `${text}\n${EXIT}\n`;
}
