/** For a program of {@link BenchProcess}: ends it, in order, when its parent is done with it or is gone, and at nothing else. */
export function liveWithParent(close: () => Promise<void>): void {
  process.once('disconnect', () => void close().then(() => process.exit()));
  // Ctrl-C in a terminal reaches the whole group: the parent ends the benchmark first, and then this process.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
}
