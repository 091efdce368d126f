import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** A loopback SFU in a process of its own, so that receiving costs the measured process nothing. */
export interface SfuProcess {
  readonly whipUrl: string;
  close(): Promise<void>;
}

export async function startSfuProcess(): Promise<SfuProcess> {
  const child = fork(fileURLToPath(new URL('./sfu-child.ts', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [message] = (await once(child, 'message')) as [{ readonly url: string }];
  return {
    whipUrl: `${message.url}/whip/bench`,
    close: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
