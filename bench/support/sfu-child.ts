// The child of sfu-process.ts: runs a loopback SFU until its parent goes away.
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';

const sfu = new LoopbackSfu({ port: 0 });
process.send?.(await sfu.start());
process.once('disconnect', () => void sfu.close());
