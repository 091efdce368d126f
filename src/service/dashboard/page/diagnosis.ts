import type { PublisherView, SenderStats, TrackStats, TrackView } from '../../../client.js';

/** Where a picture gets lost, from the camera on. */
export type Layer = 'source' | 'encoder' | 'network' | 'sfu' | 'allocation';

/** How a camera is doing. */
export interface Diagnosis {
  /** `good`: all is well; `wait`: not now, or not as well as it could; `bad`: something is broken. */
  readonly tone: 'good' | 'wait' | 'bad';
  /** The layer at fault; absent if there is none. */
  readonly layer?: Layer;
  /** In a word or two. */
  readonly title: string;
  /** In a sentence. */
  readonly detail: string;
}

/** What is known of a camera. */
export interface Evidence {
  readonly connection: PublisherView['state'];
  /** What was last said about the connection. */
  readonly connectionReason?: string | undefined;
  readonly track: TrackView;
  readonly stats?: TrackStats | undefined;
  /** The state of the transport beneath the connection. */
  readonly transportState?: SenderStats['state'] | undefined;
  readonly congestion?: SenderStats['congestion'];
}

/** Why an encoding is not sent although there may be room for it. */
const REFUSALS: ReadonlySet<string> = new Set(['inactive', 'refused-by-peer', 'paused-by-peer']);
/** More lost packets than this are seen. */
const HIGH_LOSS_SHARE = 0.05;
/** A longer queue is felt by whoever drives. */
const LONG_QUEUE_MS = 200;

/** The first layer that is at fault, from the camera on: what comes after it cannot be judged. */
export function diagnose(evidence: Evidence): Diagnosis {
  return (
    sourceFault(evidence) ??
    connectionFault(evidence) ??
    encoderFault(evidence) ??
    pause(evidence) ??
    networkTrouble(evidence) ?? { tone: 'good', title: 'Live', detail: 'Pictures are encoded and sent.' }
  );
}

/** A camera that is broken by itself, and how. */
export interface Trouble {
  readonly id: string;
  readonly title: string;
}

/** Cameras that are broken by themselves: what the connection does to all of them is told beside it. */
export function troublesOf(verdicts: ReadonlyMap<string, Diagnosis>): readonly Trouble[] {
  return [...verdicts].flatMap(([id, { tone, layer, title }]) =>
    tone === 'bad' && layer !== 'sfu' && layer !== 'network' ? [{ id, title }] : [],
  );
}

/** What is told of a source that does not deliver what it should; `format-changed` is over before anybody can read it. */
const SOURCE_TROUBLES: Readonly<Partial<Record<TrackView['source']['state'], string>>> = {
  stalled: 'Source stalled',
  frozen: 'Picture frozen',
  unplugged: 'Unplugged',
  reopening: 'Source lost',
  ended: 'Source ended',
  failed: 'Source failed',
};

function sourceFault({ track, stats }: Evidence): Diagnosis | undefined {
  const { state, reason, source } = track;
  if (state === 'removing') return { tone: 'wait', title: 'Going', detail: 'The camera is being removed.' };
  if (state === 'starting')
    return { tone: 'wait', layer: 'source', title: 'Starting', detail: 'The source is being opened.' };
  if (state === 'failed') {
    // The one thing beside the source that has to open.
    const layer = /encoder/i.test(reason ?? '') ? 'encoder' : 'source';
    return { tone: 'bad', layer, title: `No ${layer}`, detail: reason ?? 'It could not be started.' };
  }
  const title = SOURCE_TROUBLES[source.state];
  if (title !== undefined)
    return { tone: 'bad', layer: 'source', title, detail: source.reason ?? 'No more pictures come.' };
  if (stats?.health === 'no-input') {
    return {
      tone: 'bad',
      layer: 'source',
      title: 'No pictures',
      detail: 'The source has stopped delivering pictures.',
    };
  }
  return undefined;
}

function connectionFault({ connection, connectionReason, transportState }: Evidence): Diagnosis | undefined {
  const because = connectionReason === undefined ? '' : `: ${connectionReason}`;
  switch (connection) {
    case 'connected':
      return undefined;
    case 'reconnecting':
      return transportState === 'disconnected'
        ? { tone: 'bad', layer: 'network', title: 'No way', detail: `Nothing gets through to the SFU${because}` }
        : { tone: 'bad', layer: 'sfu', title: 'SFU lost', detail: `The SFU is being called again${because}` };
    case 'idle':
      return { tone: 'wait', title: 'Idle', detail: 'No camera is live yet, and there is nothing to connect for.' };
    case 'connecting':
      return transportState === 'failed'
        ? { tone: 'bad', layer: 'sfu', title: 'No SFU', detail: `The SFU cannot be reached${because}` }
        : { tone: 'wait', layer: 'sfu', title: 'Connecting', detail: `The SFU is being called${because}` };
    default:
      return { tone: 'wait', title: 'Closed', detail: 'The publisher is closed.' };
  }
}

function encoderFault({ stats }: Evidence): Diagnosis | undefined {
  if (stats?.health === 'failed') {
    return {
      tone: 'bad',
      layer: 'encoder',
      title: 'Encoder failed',
      detail: stats.failure ?? 'It failed again and again.',
    };
  }
  if (stats?.health === 'stalled') {
    return {
      tone: 'bad',
      layer: 'encoder',
      title: 'Stalled',
      detail: 'Pictures come, and none has been encoded for 2 s.',
    };
  }
  return undefined;
}

function pause({ stats }: Evidence): Diagnosis | undefined {
  if (stats?.health === 'waiting') {
    return { tone: 'wait', layer: 'source', title: 'Waiting', detail: 'No picture has come yet.' };
  }
  if (stats?.health !== 'paused') return undefined;
  if (stats.allocationReason === 'paused-by-weight') {
    return { tone: 'wait', layer: 'allocation', title: 'Paused', detail: 'The allocation has it paused.' };
  }
  return (
    unwanted(stats) ?? {
      tone: 'wait',
      layer: 'network',
      title: 'No room',
      detail: 'The network does not carry its minimum; it comes back by itself.',
    }
  );
}

/** A camera of which no encoding is wanted, whatever there is for it. */
function unwanted({ encodings = [] }: TrackStats): Diagnosis | undefined {
  const reasons = encodings.map(({ allocationReason }) => allocationReason ?? '');
  if (reasons.length === 0 || !reasons.every((reason) => REFUSALS.has(reason))) return undefined;
  return reasons.every((reason) => reason === 'inactive')
    ? { tone: 'wait', layer: 'allocation', title: 'Off', detail: 'Its configuration has all its encodings off.' }
    : { tone: 'wait', layer: 'sfu', title: 'Not wanted', detail: 'The SFU wants none of its encodings now.' };
}

function networkTrouble({ stats, congestion }: Evidence): Diagnosis | undefined {
  const trouble = (title: string, detail: string): Diagnosis => ({ tone: 'wait', layer: 'network', title, detail });
  if (congestion?.limitedBy === 'silence') return trouble('No feedback', 'The SFU has ceased to tell what arrives.');
  const lossShare = Math.max(congestion?.lossShare ?? 0, stats?.remoteInbound?.fractionLost ?? 0);
  if (lossShare > HIGH_LOSS_SHARE)
    return trouble('Losses', `${Math.round(lossShare * 100)} % of the packets are lost.`);
  if ((congestion?.queueMs ?? 0) > LONG_QUEUE_MS) {
    return trouble('Delay', `Packets wait ${Math.round(congestion?.queueMs ?? 0)} ms in queues on the way.`);
  }
  if (stats?.qualityLimitationReason === 'cpu') {
    return {
      tone: 'wait',
      layer: 'encoder',
      title: 'Slow encoder',
      detail: 'The encoder does not keep up with its pictures.',
    };
  }
  return undefined;
}
