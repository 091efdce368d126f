import { BenchProcess } from './bench-process.js';

/**
 * What the process can be asked: to watch the delay of its event loop; how late that was since, in milliseconds; and what it has in use after a
 * collection.
 */
export type ServiceQuestion = 'watch' | 'watched' | 'left';

/** A publisher service in a process of its own, as it runs on a robot: whoever loads it costs it nothing. */
export interface ServiceProcess {
  readonly url: string;
  ask(question: ServiceQuestion): Promise<Readonly<Record<string, number>>>;
}

/** Runs something beside a publisher service. Its log is written as in production, and read by nobody. */
export async function withService<T>(body: (service: ServiceProcess) => Promise<T>): Promise<T> {
  const child = new BenchProcess('service-child', 'ignore');
  try {
    const { url } = await child.ready<{ readonly url: string }>();
    return await body({ url, ask: (question) => child.ask(question) });
  } finally {
    await child.close();
  }
}
