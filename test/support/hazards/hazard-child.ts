/** Does one thing that may crash a process with an encoder in it, and prints what came of it: one line of JSON. */
import { HAZARDS, openEncoder } from './hazards.js';

const [name = '', codec = '', isolation = 'none'] = process.argv.slice(2);
const hazard = HAZARDS[name];
if (hazard === undefined) throw new Error(`no hazard ${name}; there are ${Object.keys(HAZARDS).join(', ')}`);
const outcome = await hazard({ codec, isolation, open: () => openEncoder(codec, isolation) });
process.stdout.write(`${JSON.stringify(outcome)}\n`);
