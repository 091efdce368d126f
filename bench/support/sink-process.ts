import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** Peers in a process of their own, so that receiving costs the measured process nothing. */
export interface SinkProcess {
  /** The answer of a fresh peer. One at a time. */
  answer(offer: string): Promise<string>;
  close(): Promise<void>;
}

export function startSinkProcess(): SinkProcess {
  const child = fork(fileURLToPath(new URL('./sink-child.ts', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  return {
    answer: async (offer) => {
      const answered = once(child, 'message');
      child.send(offer);
      const [answer] = (await answered) as [string];
      return answer;
    },
    close: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
