import { describe, expect, it } from 'vitest';
import { ADDON_INTERFACE, type CodecAddon, stateOf } from '../../src/encoder/native-codecs/codec-addon.js';

function builtWith(fields: Partial<CodecAddon>): CodecAddon {
  const refuse = async () => {
    throw new Error('not to be called');
  };
  return { codecs: ['vp8'], open: refuse, encode: refuse, free: () => undefined, ...fields } as CodecAddon;
}

describe('an addon that is there', () => {
  it('is taken where it was built from the sources that are there', () => {
    const addon = builtWith({ interface: ADDON_INTERFACE });
    expect(stateOf(addon)).toEqual({ kind: 'loaded', addon });
  });

  it.each([
    ['before it told of it', {}],
    ['earlier', { interface: ADDON_INTERFACE - 1 }],
    ['later', { interface: ADDON_INTERFACE + 1 }],
  ])('is not called where it was built %s', (_when, fields) => {
    const state = stateOf(builtWith(fields));
    expect(state).toMatchObject({ kind: 'broken', error: { message: expect.stringContaining('build:native') } });
  });
});
