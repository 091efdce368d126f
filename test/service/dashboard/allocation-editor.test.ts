import { beforeEach, describe, expect, it } from 'vitest';
import {
  type AllocationRequest,
  type AllocationView,
  ApiError,
  type PutAllocationOptions,
} from '../../../src/client.js';
import { AllocationEditor } from '../../../src/service/dashboard/page/allocation-editor.js';
import { settle } from '../../support/virtual-clock.js';

const OWNER = 'dashboard-1';
const ENTRY = { weight: 1, minBps: 0, priority: 0, enforceMinimum: false, paused: false };

/** A service that puts what it is told, unless somebody else is quicker. */
class FakeService {
  readonly puts: [AllocationRequest, PutAllocationOptions | undefined][] = [];
  revision = 1;
  base: AllocationView['base'] = { tracks: { front: { ...ENTRY, weight: 2, priority: 5 }, gone: ENTRY } };
  lease: AllocationView['lease'];
  /** Runs before each put. */
  meanwhile: () => void = () => undefined;

  get view(): AllocationView {
    return {
      publisherId: 'robot',
      generation: 1,
      revision: this.revision,
      dryRun: false,
      inForce: this.lease === undefined ? 'base' : 'lease',
      base: this.base,
      ...(this.lease === undefined ? {} : { lease: this.lease }),
      targetBps: 1_000_000,
      grants: ['front', 'rear'].map((trackId) => ({ trackId, targetBps: 1, paused: false, reason: 'weight' })),
      presets: ['drive'],
    };
  }

  async allocation() {
    return { allocation: this.view, tag: String(this.revision) };
  }

  async putAllocation(_publisherId: string, request: AllocationRequest, options?: PutAllocationOptions) {
    this.meanwhile();
    this.puts.push([request, options]);
    if (options?.ifMatch !== String(this.revision)) throw refusal(412, 'REVISION_MISMATCH');
    this.revision += 1;
    const tracks = Object.fromEntries(
      Object.entries(request.tracks ?? {}).map(([id, entry]) => [id, { ...ENTRY, ...entry }] as const),
    );
    const document = request.preset === undefined ? { tracks } : { preset: request.preset, tracks };
    if (request.lease === undefined) {
      this.base = document;
      this.lease = undefined;
    } else {
      this.lease = { ...request.lease, expiresInMs: request.lease.ttlMs, document };
    }
    return this.allocation();
  }

  async endLease() {
    this.lease = undefined;
    this.revision += 1;
    return this.allocation();
  }
}

function refusal(status: number, code: string): ApiError {
  return new ApiError({ type: 'about:blank', title: code, status, code, detail: code });
}

let service: FakeService;
let failures: string[];
let editor: AllocationEditor;

beforeEach(() => {
  service = new FakeService();
  failures = [];
  editor = new AllocationEditor(
    service,
    'robot',
    OWNER,
    { changed: () => undefined, failed: (what, error) => void failures.push(`${what}: ${String(error)}`) },
    settle,
  );
});

describe('the allocation editor', () => {
  it('says again what it does not change, of the cameras that there are', async () => {
    await editor.refresh();
    editor.edit('rear', { weight: 3 });
    await settle();
    await settle();
    expect(service.puts).toEqual([
      [{ tracks: { front: { ...ENTRY, weight: 2, priority: 5 }, rear: { ...ENTRY, weight: 3 } } }, { ifMatch: '1' }],
    ]);
    expect(failures).toEqual([]);
  });

  it('puts together what changes while a call is under way: a slider makes no queue', async () => {
    await editor.refresh();
    for (let weight = 1; weight <= 50; weight += 1) editor.edit('front', { weight });
    editor.edit('front', { maxBps: 300_000 });
    editor.edit('rear', { paused: true });
    for (let turn = 0; turn < 5; turn += 1) await settle();
    expect(service.puts.length).toBeLessThanOrEqual(2);
    expect(service.base.tracks).toMatchObject({ front: { weight: 50, maxBps: 300_000 }, rear: { paused: true } });
    expect(editor.isPending('front')).toBe(false);
    editor.edit('front', { maxBps: null });
    for (let turn = 0; turn < 5; turn += 1) await settle();
    expect(service.base.tracks['front']).not.toHaveProperty('maxBps');
  });

  it('decides anew when somebody else was quicker, and keeps what they have changed', async () => {
    await editor.refresh();
    service.meanwhile = () => {
      service.meanwhile = () => undefined;
      service.base = { tracks: { front: { ...ENTRY, weight: 9 } } };
      service.revision += 1;
    };
    editor.edit('rear', { weight: 3 });
    for (let turn = 0; turn < 5; turn += 1) await settle();
    expect(service.base.tracks).toMatchObject({ front: { weight: 9 }, rear: { weight: 3 } });
    expect(failures).toEqual([]);
  });

  it('gives up when somebody else is always quicker, and says so', async () => {
    await editor.refresh();
    service.meanwhile = () => {
      service.revision += 1;
    };
    await editor.choosePreset('drive');
    expect(service.puts).toHaveLength(4);
    expect(failures).toEqual(['The preset was not applied: ApiError: REVISION_MISMATCH']);
  });

  it('takes over by asking for it, edits and renews under its own lease, and gives it back', async () => {
    service.lease = { owner: 'autopilot', ttlMs: 500, expiresInMs: 500, document: { preset: 'drive', tracks: {} } };
    await editor.refresh();
    expect([editor.heldBy, editor.holdsLease]).toEqual(['autopilot', false]);
    await editor.renew();
    expect(service.puts).toEqual([]);
    await editor.takeOver();
    const lease = { owner: OWNER, ttlMs: 5000 };
    expect(service.puts.at(-1)?.[0]).toEqual({ preset: 'drive', lease, takeover: true });
    expect([editor.heldBy, editor.holdsLease]).toEqual([undefined, true]);
    await editor.renew();
    expect(service.puts.at(-1)?.[0]).toEqual({ preset: 'drive', lease });
    editor.edit('front', { weight: 4 });
    for (let turn = 0; turn < 5; turn += 1) await settle();
    expect(service.puts.at(-1)?.[0]).toMatchObject({ tracks: { front: { weight: 4 } }, lease });
    await editor.release();
    expect(editor.holdsLease).toBe(false);
  });
});
