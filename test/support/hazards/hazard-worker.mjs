// The thread of hazard-worker.ts: threads do not take the loader of TypeScript over from the main thread.
import { register } from 'tsx/esm/api';

register();
await import('./hazard-worker.ts');
