import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * What the process can be asked: to watch the delay of its event loop; how late that was since, in milliseconds; and what it has in use after a
 * collection.
 */
export type ServiceQuestion = 'watch' | 'watched' | 'left';

/** A publisher service in a process of its own, as it runs on a robot: whoever loads it costs it nothing. */
export interface ServiceProcess {
  readonly url: string;
  ask(question: ServiceQuestion): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

export async function startServiceProcess(): Promise<ServiceProcess> {
  const child = fork(fileURLToPath(new URL('./service-child.ts', import.meta.url)), {
    // Its log is written as in production, and read by nobody.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const answer = async <T>(): Promise<T> => {
    const [message] = (await once(child, 'message')) as [T];
    return message;
  };
  const { url } = await answer<{ readonly url: string }>();
  return {
    url,
    ask: async (question) => {
      child.send(question);
      return answer();
    },
    close: async () => {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}
