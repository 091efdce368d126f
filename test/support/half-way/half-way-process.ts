/**
 * Fails in every way there is, one after the other, and looks each time whether anything is left, with no test runner's timers around. Nothing
 * ends this process: it must end by itself once there is nothing left that keeps it alive. Ways that need the native peer are left out: once
 * it has received video, its library crashes at the end of any process, without any of our code, too.
 */

import { openResources } from '../../../src/bench/support/open-resources.js';
import { codeOf } from '../../sender/sender-harness.js';
import { nothingLeftSince } from '../open-resources.js';
import { WAYS_TO_FAIL } from './ways.js';

const ways = WAYS_TO_FAIL.filter(({ usesNativePeer }) => usesNativePeer !== true);
for (const { name, code, prepare } of ways) {
  const atFirst = openResources();
  const { scene, attempt } = await prepare();
  const actual = await codeOf(attempt());
  if (actual !== code) throw new Error(`${name}: ${actual} instead of ${code}`);
  await scene.sender.close();
  await scene.strike();
  await nothingLeftSince(atFirst).catch((error: unknown) => {
    throw new Error(`when ${name}`, { cause: error });
  });
}
console.info(`failed in ${ways.length} ways`);
