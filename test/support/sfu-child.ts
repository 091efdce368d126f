// A loopback SFU on the port of its argument, until it is killed or its parent goes; tells when it listens.
import { LoopbackSfu } from '../../src/loopback/loopback-sfu.js';

const sfu = new LoopbackSfu({ port: Number(process.argv[2] ?? 0) });
const { url } = await sfu.start();
process.once('disconnect', () => process.exit());
process.send?.(url);
