import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EventText } from '../../src/service/client/event-text.js';

describe('a stream of server-sent events', () => {
  it('is the same in pieces of any size', () => {
    const text =
      ': hello\nretry: 500\n\nid: a-1\nevent: reset\ndata: {"a":\r\ndata: 1}\r\n\r\ndata:x\n\nid: a-3\n\ndata\n\n';
    const expected = [
      { type: 'reset', id: 'a-1', data: '{"a":\n1}' },
      { type: 'message', data: 'x' },
      { type: 'message', data: '' },
    ];
    fc.assert(
      fc.property(fc.array(fc.nat({ max: text.length }), { maxLength: 10 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const pieces = places.slice(1).map((end, index) => text.slice(places[index], end));
        const reader = new EventText();
        expect(pieces.flatMap((piece) => reader.push(piece))).toEqual(expected);
        // By itself, before the last event.
        expect(reader.lastId).toBe('a-3');
      }),
    );
  });
});
