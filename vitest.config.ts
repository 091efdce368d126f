import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** The same encoders on every machine, whether or not the optional ones are built. */
const env = { FRAMELOCK_NATIVE: '0' };

/** Of other programs and peers, which wait for one another as long as it takes: they may share the machine, two at a time. */
const PATIENT_INTEROP = [
  'test/{encoder,service,signalling,source,transport/werift}/**/*.interop.test.ts',
  'test/loopback/{loopback-sfu,preview-room}.interop.test.ts',
  'test/sender/{connect-cycles,half-way}.interop.test.ts',
];
const NATIVE = 'test/**/*.native.interop.test.ts';
/** Likewise; each in network namespaces or with ports of its own. */
const PATIENT_SYSTEM = ['test/system/{command,deploy,foreign-clients,guides,recovery,serve,sfu-recovery}.test.ts'];

export default defineConfig({
  test: {
    // vitest leaves a core to itself, which is every other one of two.
    maxWorkers: availableParallelism(),
    projects: [
      {
        test: {
          name: 'unit',
          // The same cases every time, so that what passes here passes elsewhere.
          setupFiles: ['test/support/fixed-seed.ts'],
          env,
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.interop.test.ts', 'test/system/**'],
          // A process for each file takes twice as long. No module has state of its own that another file could find changed.
          isolate: false,
          // Properties try hundreds of cases, on machines that may be busy.
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: 'interop',
          include: ['test/**/*.interop.test.ts'],
          exclude: [NATIVE, ...PATIENT_INTEROP],
          env,
          // Native peers in real time: one file at a time, or they starve one another.
          fileParallelism: false,
          // A shared machine can starve a receiver for a second, and a picture is lost. `.ci/run` names what was tried again, and why.
          retry: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'interop-patient',
          include: PATIENT_INTEROP,
          exclude: [NATIVE],
          env,
          // As above.
          retry: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          // Needs `npm run build:native`.
          name: 'native',
          include: [NATIVE],
          fileParallelism: false,
          // As above.
          retry: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'system',
          env,
          include: ['test/system/**/*.test.ts'],
          exclude: PATIENT_SYSTEM,
          fileParallelism: false,
          retry: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'system-patient',
          env,
          include: PATIENT_SYSTEM,
          retry: 1,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary', 'html'] },
  },
});
