/** The two ends of a connection, as a socket tells them. */
export interface ConnectionEnds {
  readonly localAddress?: string | undefined;
  readonly remoteAddress?: string | undefined;
}

/** Whether a connection comes from the machine that it goes to: by the loopback interface, or from an address to itself. */
export function isFromThisMachine({ localAddress, remoteAddress }: ConnectionEnds): boolean {
  if (remoteAddress === undefined) return false;
  const address = remoteAddress.replace(/^::ffff:/i, '');
  return address === '::1' || /^127(\.\d{1,3}){3}$/.test(address) || remoteAddress === localAddress;
}
