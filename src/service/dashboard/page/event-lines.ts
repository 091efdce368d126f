import type { ServiceEvent } from '../../../client.js';
import { formatMs } from './format.js';

/** One event for people. */
export interface EventLine {
  readonly tone: 'good' | 'wait' | 'bad' | 'plain';
  /** Publisher and camera, as far as it is of one. */
  readonly subject: string;
  readonly text: string;
}

const BAD = new Set(['failed', 'stalled', 'no-input', 'closed', 'frozen', 'unplugged', 'reopening', 'ended']);
const GOOD = new Set(['ok', 'live', 'connected']);

/** An event in a line; nothing for those that come by the second. */
export function eventLine({ type, publisherId, trackId, data }: ServiceEvent): EventLine | undefined {
  if (type === 'estimate') return undefined;
  const subject = [publisherId, trackId, data['rid']].filter((part) => part !== undefined).join(' / ');
  return { tone: toneOf(data), subject, text: textOf(type, data) };
}

function toneOf(data: ServiceEvent['data']): EventLine['tone'] {
  const state = String(data['health'] ?? data['state'] ?? '');
  if (BAD.has(state)) return 'bad';
  if (GOOD.has(state)) return 'good';
  return state === '' ? 'plain' : 'wait';
}

function textOf(type: ServiceEvent['type'], data: ServiceEvent['data']): string {
  const because = typeof data['reason'] === 'string' ? `: ${data['reason']}` : '';
  switch (type) {
    case 'publisher-created':
      return 'publisher created';
    case 'publisher-closed':
      return 'publisher closed';
    case 'publisher-state':
      return `connection ${data['state']}${because}`;
    case 'track-state':
      return `camera ${data['state']}${because}`;
    case 'source-state':
      return `source ${data['state']}${because}`;
    case 'track-health':
      return `health ${data['health']}${because}`;
    case 'track-activity':
      return `${data['active'] === true ? 'sent again' : 'paused'} (${data['reason']})`;
    case 'encoder-swapped':
      return `encoder exchanged (${data['cause']}, held ${formatMs(Number(data['exclusiveHoldUs']) / 1000)})`;
    case 'allocation':
      return `allocation, revision ${data['revision']}${data['owner'] === undefined ? '' : `, leased by ${data['owner']}`}`;
    case 'config-reloaded':
      return 'configuration reloaded';
    default:
      return type;
  }
}
