import { AV_LOG_ERROR } from 'node-av/constants';
import { Log } from 'node-av/lib';
import type { EncoderCandidate, EncoderProbe } from './encoder-candidates.js';
import { probeEncoder } from './probe-encoder.js';

/** What FFmpeg logged of the encoder that is being tried: the error code of a driver often tells nothing. */
const log: string[] = [];

/** Log messages come through the event loop, a turn or two after they were written. */
const LOG_DELAY_MS = 20;

/** The first message, which is nearest to the cause, without the name and address in brackets before it. */
function firstLogged(): string | undefined {
  const [first] = log.splice(0);
  return first?.replace(/^\[[^\]]*\]\s*/, '').trim();
}

function report(probe: EncoderProbe): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(probe, undefined, undefined, () => resolve());
  });
}

// The program of a process that tries the candidates in its arguments, one after the other, and reports on each before the next.
process.once('disconnect', () => process.exit());
Log.setCallback((level, message) => {
  if (level <= AV_LOG_ERROR && message.trim() !== '') log.push(message);
});
for (const argument of process.argv.slice(2)) {
  const candidate: EncoderCandidate = JSON.parse(argument);
  log.length = 0;
  const probe = await probeEncoder(candidate);
  if (!probe.opens) await new Promise((resolve) => setTimeout(resolve, LOG_DELAY_MS));
  const reason = firstLogged();
  await report(probe.opens || reason === undefined ? probe : { ...probe, reason });
}
process.exit();
