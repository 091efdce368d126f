import { describe, expect, it } from 'vitest';
import type { SenderStats, TrackStats, TrackView } from '../../../src/client.js';
import type { EncodingStats } from '../../../src/sender/stats/track-stats.js';
import { type Diagnosis, diagnose, type Evidence, troublesOf } from '../../../src/service/dashboard/page/diagnosis.js';

const TRACK: TrackView = {
  id: 'front',
  generation: 1,
  state: 'live',
  source: { state: 'live', reopened: 0 },
  codec: 'vp8',
};

type Facts = Partial<Omit<Evidence, 'stats' | 'track' | 'congestion'>> & {
  readonly track?: Partial<TrackView>;
  readonly stats?: Partial<TrackStats>;
  readonly congestion?: Partial<NonNullable<SenderStats['congestion']>>;
};

/** Tone, layer and title of a camera that is well but for these facts. */
function verdict({ track, stats, congestion, ...more }: Facts): string {
  const evidence = {
    connection: 'connected',
    track: { ...TRACK, ...track },
    stats: { health: 'ok', ...stats } as TrackStats,
    congestion: { limitedBy: 'maximum', lossShare: 0, queueMs: 0, ...congestion } as NonNullable<
      SenderStats['congestion']
    >,
    ...more,
  } as Evidence;
  const { tone, layer = 'none', title } = diagnose(evidence);
  return `${tone} ${layer}: ${title}`;
}

/** Encodings that are not sent, for these reasons. */
function encodings(...reasons: NonNullable<EncodingStats['allocationReason']>[]): readonly EncodingStats[] {
  return reasons.map((allocationReason) => ({ active: false, allocationReason }) as EncodingStats);
}

describe('the diagnosis of a camera', () => {
  it.each<[string, Facts]>([
    ['good none: Live', {}],
    ['bad source: No source', { track: { state: 'failed', reason: 'could not open clip.mp4' } }],
    ['bad encoder: No encoder', { track: { state: 'failed', reason: 'the encoder libvpx cannot be opened' } }],
    ['wait source: Starting', { track: { state: 'starting' } }],
    ['bad source: Source stalled', { track: { source: { state: 'stalled', reopened: 0 } } }],
    ['bad source: Picture frozen', { track: { source: { state: 'frozen', reopened: 0 } } }],
    ['bad source: Unplugged', { track: { source: { state: 'unplugged', reopened: 0 } } }],
    ['bad source: Source lost', { track: { source: { state: 'reopening', reopened: 0 } } }],
    ['bad source: Source ended', { track: { source: { state: 'ended', reopened: 0 } } }],
    ['bad source: Source failed', { track: { source: { state: 'failed', reopened: 0 } } }],
    ['bad source: No pictures', { stats: { health: 'no-input' } }],
    ['wait source: Waiting', { stats: { health: 'waiting' } }],
    ['bad encoder: Encoder failed', { stats: { health: 'failed' } }],
    ['bad encoder: Stalled', { stats: { health: 'stalled' } }],
    ['wait encoder: Slow encoder', { stats: { qualityLimitationReason: 'cpu' } }],
    ['wait allocation: Paused', { stats: { health: 'paused', allocationReason: 'paused-by-weight' } }],
    ['wait network: No room', { stats: { health: 'paused', allocationReason: 'paused-by-budget' } }],
    ['wait network: No room', { stats: { health: 'paused', encodings: encodings('paused-by-budget', 'inactive') } }],
    ['wait allocation: Off', { stats: { health: 'paused', encodings: encodings('inactive', 'inactive') } }],
    ['wait sfu: Not wanted', { stats: { health: 'paused', encodings: encodings('paused-by-peer', 'inactive') } }],
    ['bad network: No way', { connection: 'reconnecting', transportState: 'disconnected' }],
    ['bad sfu: SFU lost', { connection: 'reconnecting', transportState: 'failed' }],
    ['bad sfu: No SFU', { connection: 'connecting', transportState: 'failed' }],
    ['wait sfu: Connecting', { connection: 'connecting', transportState: 'connecting' }],
    ['wait network: No feedback', { congestion: { limitedBy: 'silence' } }],
    ['wait network: Losses', { congestion: { lossShare: 0.12 } }],
    ['wait network: Delay', { congestion: { queueMs: 300 } }],
  ])('is %s', (expected, facts) => {
    expect(verdict(facts)).toBe(expected);
  });

  it('is of the first layer at fault: what comes after it cannot be judged', () => {
    const gone: Facts = { connection: 'reconnecting', transportState: 'failed', stats: { health: 'no-input' } };
    expect(verdict(gone)).toBe('bad source: No pictures');
    expect(verdict({ ...gone, stats: { health: 'waiting' } })).toBe('bad sfu: SFU lost');
  });

  it('tells what was said of the connection', () => {
    const evidence = { connection: 'reconnecting', connectionReason: 'refused', track: TRACK } as const;
    expect(diagnose(evidence).detail).toBe('The SFU is being called again: refused');
  });
});

describe('cameras in trouble', () => {
  it('are those that are broken by themselves, not by the connection, and none that only waits', () => {
    const verdicts: Readonly<Record<string, Diagnosis>> = {
      front: { tone: 'good', title: 'Live', detail: '' },
      rear: { tone: 'bad', layer: 'source', title: 'Unplugged', detail: '' },
      left: { tone: 'bad', layer: 'sfu', title: 'No SFU', detail: '' },
      right: { tone: 'bad', layer: 'network', title: 'Lost', detail: '' },
      arm: { tone: 'wait', layer: 'allocation', title: 'Paused', detail: '' },
      mast: { tone: 'bad', layer: 'encoder', title: 'Encoder failed', detail: '' },
    };
    expect(troublesOf(new Map(Object.entries(verdicts)))).toEqual([
      { id: 'rear', title: 'Unplugged' },
      { id: 'mast', title: 'Encoder failed' },
    ]);
  });
});
