// A controller of a running service: npx tsx examples/controller.ts http://127.0.0.1:8090 robot front (its token in FRAMELOCK_TOKEN)
// The camera gets most of the bitrate while this runs. When it ends, in order or not, the base allocation comes back within a second.
import { ApiError, ServiceClient } from '../src/client.js'; // yours: 'framelock/client'

const [url = 'http://127.0.0.1:8090', publisher = 'robot', camera = 'front'] = process.argv.slice(2);
const token = process.env['FRAMELOCK_TOKEN'];
const client = new ServiceClient({ url, ...(token ? { token } : {}) });
const lease = { owner: 'example-controller', ttlMs: 1000 };
/** Two may go missing before the lease runs out. */
const RENEW_MS = 300;

let running = true;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    running = false;
  });
}
let told = '';
while (running) {
  try {
    const { allocation } = await client.putAllocation(publisher, {
      tracks: { [camera]: { weight: 5, priority: 1, enforceMinimum: true, minBps: 100_000 } },
      lease,
    });
    const grants = allocation.grants.map(({ trackId, targetBps, reason }) => `${trackId} ${targetBps} (${reason})`);
    if (grants.join() !== told) console.log(`revision ${allocation.revision}: ${grants.join(', ')}`);
    told = grants.join();
  } catch (error) {
    // Another controller has it: it is asked for again, and not taken away.
    if (!(error instanceof ApiError) || error.code !== 'LEASE_HELD') throw error;
    console.log(error.message);
  }
  await new Promise((resolve) => setTimeout(resolve, RENEW_MS));
}
await client.endLease(publisher, lease.owner);
