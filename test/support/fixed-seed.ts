import fc from 'fast-check';

/** Any number. Another one tries other cases: `FRAMELOCK_SEED=random npm run test:unit` takes one of its own, which a failure tells. */
const SEED = 20_261_121;

const { FRAMELOCK_SEED: wanted } = process.env;
if (wanted !== 'random') fc.configureGlobal({ seed: wanted === undefined ? SEED : Number(wanted) });
