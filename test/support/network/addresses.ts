/** An IPv4 address and a UDP port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Addresses of the namespaces, from the block that RFC 2544 sets aside for measuring networks. */
export const NEAR_ADDRESS = '198.18.0.1';
export const NEAR_GATEWAY = '198.18.0.2';
export const FAR_ADDRESS = '198.18.1.1';
export const FAR_GATEWAY = '198.18.1.2';

/** Where the near relay is reached by the near host: to it, this is the far host. */
export const NEAR_RELAY: Endpoint = { address: NEAR_ADDRESS, port: 5000 };
/** Where the far relay is reached by the far host: to it, this is the near host. */
export const FAR_RELAY: Endpoint = { address: FAR_ADDRESS, port: 5000 };
/** The ends of the line between the relays, on which the bottleneck is. */
export const NEAR_LINE: Endpoint = { address: NEAR_ADDRESS, port: 5001 };
export const FAR_LINE: Endpoint = { address: FAR_ADDRESS, port: 5001 };
