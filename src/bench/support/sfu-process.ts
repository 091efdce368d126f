import { BenchProcess } from './bench-process.js';

/** To note from now on when frames arrive; those that have. */
export type SfuQuestion = 'watch' | 'arrivals';

/** When the last packet of a frame was at the SFU, decrypted. */
export interface FrameArrival {
  readonly trackId: string;
  readonly rtpTimestamp: number;
  /** On the time base of `Clock.nowUs`, as of that process: the same clock, to some microseconds. */
  readonly atUs: number;
}

/** A loopback SFU in a process of its own, so that receiving costs the measured process nothing. */
export interface SfuProcess {
  readonly whipUrl: string;
  watch(): Promise<void>;
  /** Since `watch`. */
  arrivals(): Promise<readonly FrameArrival[]>;
  close(): Promise<void>;
}

export async function startSfuProcess(): Promise<SfuProcess> {
  const child = new BenchProcess('sfu-child');
  const { url } = await child.ready<{ readonly url: string }>();
  return {
    whipUrl: `${url}/whip/bench`,
    watch: async () => {
      await child.ask('watch' satisfies SfuQuestion);
    },
    arrivals: () => child.ask<readonly FrameArrival[]>('arrivals' satisfies SfuQuestion),
    close: () => child.close(),
  };
}

/** Runs something beside a loopback SFU. */
export async function withSfu<T>(body: (sfu: SfuProcess) => Promise<T>): Promise<T> {
  const sfu = await startSfuProcess();
  try {
    return await body(sfu);
  } finally {
    await sfu.close();
  }
}
