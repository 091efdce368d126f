import { describe, expect, it } from 'vitest';
import { drawText, textHeight, textWidth } from '../../../src/source/test-pattern/bitmap-font.js';

function print(text: string, scale = 1): string[] {
  const stride = textWidth(text, scale);
  const data = new Uint8Array(stride * textHeight(scale));
  drawText({ data, stride }, text, 0, 0, scale, 1);
  return Array.from({ length: textHeight(scale) }, (_, row) =>
    Array.from(data.subarray(row * stride, (row + 1) * stride), (value) => (value === 1 ? '#' : '.')).join(''),
  );
}

describe('bitmap font', () => {
  it('writes text', () => {
    expect(print('A1')).toEqual([
      '.###....#..',
      '#...#..##..',
      '#...#...#..',
      '#####...#..',
      '#...#...#..',
      '#...#...#..',
      '#...#..###.',
    ]);
  });

  it('scales every pixel to a square', () => {
    const [first, second, third] = print('T', 2);
    expect([first, second, third]).toEqual(['##########', '##########', '....##....']);
  });

  it('has a glyph of its own for every character of labels and clocks', () => {
    const glyphs = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 !#%()+,-./:_'].map((character) => print(character).join());
    expect(new Set(glyphs).size).toBe(glyphs.length);
    expect(glyphs).not.toContain(print('?').join());
  });

  it('shows lower case as upper case and unknown characters as question marks', () => {
    expect(print('q')).toEqual(print('Q'));
    expect(print('€')).toEqual(print('?'));
  });
});
