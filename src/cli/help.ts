import type { HelpTopic } from './command-line.js';

const OVERVIEW = `framelock - many cameras, one real-time encoder each, one WebRTC connection

Usage
  framelock demo [FILE...]      cameras, a loopback SFU and a page with the live video; no configuration
  framelock publish ...         cameras to an SFU over WHIP
  framelock help | --version

  framelock demo --help, framelock publish --help: options and examples`;

const DEMO = `framelock demo [FILE...] [options]

Two test-pattern cameras (one VP8, one H.264), and any video files or URLs given, through the loopback SFU
to a page that shows them live and controls the sender.

Options
  --port PORT        port of the page on 127.0.0.1                         [8080]
  --bitrate RATE     target for all cameras together, for example 2500k    [4M]
  --json             one JSON status line a second instead of the table

Examples
  framelock demo
  framelock demo --port 9000 front.mp4 rear.mp4`;

const PUBLISH = `framelock publish --source SOURCE [--source SOURCE...] --whip URL [options]

Publishes cameras to an SFU. A lost connection is taken up again until Ctrl-C.

Sources
  test               test pattern, 1280x720 at 30 fps
  test:640x480@15    test pattern of that size and rate
  FILE or URL        any video that FFmpeg reads; files are looped

Options
  --whip URL         the SFU's WHIP endpoint
  --token TOKEN      bearer token; better in the environment, as FRAMELOCK_TOKEN
  --codec CODEC      vp8, vp9, h264 or av1                                 [vp8]
  --bitrate RATE     target for all cameras together, for example 2500k    [2M]
  --json             one JSON status line a second instead of the table

Examples
  framelock publish --source test --whip http://127.0.0.1:8080/whip/demo
  FRAMELOCK_TOKEN=... framelock publish --source front.mp4 --codec h264 --whip https://sfu.example/whip/robot-7`;

const EXIT = `
Exit codes: 0 done or drained after Ctrl-C, 1 failure, 2 usage, 3 source, 4 SFU, 5 port in use`;

/** The help text of the program or of one command. */
export function helpText(topic?: HelpTopic): string {
  const text = topic === 'demo' ? DEMO : topic === 'publish' ? PUBLISH : OVERVIEW;
  return `${text}\n${EXIT}\n`;
}
