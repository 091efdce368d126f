/** Where a server runs and listens. */
export interface ServerPlace {
  /** Of the network. @default that of this process */
  readonly namespace?: string;
  /** Literal, of that namespace. */
  readonly address: string;
}

/** What starts a program at a place. `ip` becomes the program that it starts, so the process id is the program's. */
export function commandIn(
  { namespace }: Pick<ServerPlace, 'namespace'>,
  [program, ...args]: readonly [string, ...string[]],
): { readonly program: string; readonly args: readonly string[] } {
  if (namespace === undefined) return { program, args };
  return { program: 'ip', args: ['netns', 'exec', namespace, program, ...args] };
}
