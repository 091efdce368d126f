import { describe, expect, it } from 'vitest';
import { NativeConnection } from '../../../src/transport/node-datachannel/native-connection.js';
import { type FakeConnection, FakeLibrary } from './fake-library.js';

function open(): { readonly native: NativeConnection; readonly fake: FakeConnection } {
  const library = new FakeLibrary();
  const nothing = (): void => undefined;
  const observer = {
    stateChanged: nothing,
    iceStateChanged: nothing,
    gathered: nothing,
    opened: nothing,
    rtcp: nothing,
  };
  const native = new NativeConnection(library, { iceServers: [], forceMediaTransport: true }, observer);
  const [fake] = library.connections;
  if (fake === undefined) throw new Error('there is no connection');
  return { native, fake };
}

describe('NativeConnection', () => {
  it('closes connection and track once, and is closed when the library says that both are', async () => {
    const { native, fake } = open();
    let isClosed = false;
    const closing = Promise.all([native.close(), native.close()]).then(() => {
      isClosed = true;
    });
    expect(fake.closes).toBe(2);
    fake.closed();
    await Promise.resolve();
    expect(isClosed).toBe(false);
    fake.state('closed');
    await closing;
    await native.close();
    expect(fake.closes).toBe(2);
  });

  it('touches nothing of the library once it is closed', () => {
    const { native, fake } = open();
    expect(native.send(Buffer.alloc(12))).toBe(true);
    void native.close();
    expect(native.send(Buffer.alloc(12))).toBe(false);
    expect(native.selectedPair).toBeUndefined();
    expect(native.remoteFingerprint).toBe('');
    expect(fake.sent).toHaveLength(1);
  });
});
