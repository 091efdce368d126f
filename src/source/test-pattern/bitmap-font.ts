/** Pixels of a glyph across and down, before scaling. */
const GLYPH_WIDTH = 5;
const GLYPH_HEIGHT = 7;
/** From one glyph to the next. */
const ADVANCE = GLYPH_WIDTH + 1;

/** Seven rows a glyph, the leftmost of five pixels in bit 4, two hexadecimal digits a row. */
const GLYPHS: ReadonlyMap<string, string> = new Map([
  [' ', '00000000000000'],
  ['!', '04040404040004'],
  ['#', '0a0a1f0a1f0a0a'],
  ['%', '18190204081303'],
  ['(', '02040808080402'],
  [')', '08040202020408'],
  ['+', '0004041f040400'],
  [',', '00000000040408'],
  ['-', '0000001f000000'],
  ['.', '00000000000c0c'],
  ['/', '00010204081000'],
  ['0', '0e11131519110e'],
  ['1', '040c040404040e'],
  ['2', '0e11010204081f'],
  ['3', '1f02040201110e'],
  ['4', '02060a121f0202'],
  ['5', '1f101e0101110e'],
  ['6', '0608101e11110e'],
  ['7', '1f010204080808'],
  ['8', '0e11110e11110e'],
  ['9', '0e11110f01020c'],
  [':', '000c0c000c0c00'],
  ['?', '0e110102040004'],
  ['A', '0e11111f111111'],
  ['B', '1e11111e11111e'],
  ['C', '0e11101010110e'],
  ['D', '1c12111111121c'],
  ['E', '1f10101e10101f'],
  ['F', '1f10101e101010'],
  ['G', '0e11101711110f'],
  ['H', '1111111f111111'],
  ['I', '0e04040404040e'],
  ['J', '0702020202120c'],
  ['K', '11121418141211'],
  ['L', '1010101010101f'],
  ['M', '111b1515111111'],
  ['N', '11111915131111'],
  ['O', '0e11111111110e'],
  ['P', '1e11111e101010'],
  ['Q', '0e11111115120d'],
  ['R', '1e11111e141211'],
  ['S', '0f10100e01011e'],
  ['T', '1f040404040404'],
  ['U', '1111111111110e'],
  ['V', '11111111110a04'],
  ['W', '1111111515150a'],
  ['X', '11110a040a1111'],
  ['Y', '1111110a040404'],
  ['Z', '1f01020408101f'],
  ['_', '0000000000001f'],
]);
const UNKNOWN = '?';

/** Where text goes: a luma plane, or any plane of bytes. */
export interface TextPlane {
  readonly data: Uint8Array;
  readonly stride: number;
}

/** Width in pixels of `text` at an integer `scale`, without the gap after its last glyph. */
export function textWidth(text: string, scale: number): number {
  return Math.max(0, text.length * ADVANCE - 1) * scale;
}

/** Height in pixels of a line of text at an integer `scale`. */
export function textHeight(scale: number): number {
  return GLYPH_HEIGHT * scale;
}

/**
 * Writes one line of text with its top left corner at (left, top), every set pixel at `level`. Letters come out in upper
 * case, characters without a glyph as a question mark. The text must fit into the plane.
 */
export function drawText(
  plane: TextPlane,
  text: string,
  left: number,
  top: number,
  scale: number,
  level: number,
): void {
  let x = left;
  for (const character of text) {
    drawGlyph(plane, glyphOf(character), x, top, scale, level);
    x += ADVANCE * scale;
  }
}

function glyphOf(character: string): string {
  return GLYPHS.get(character.toUpperCase()) ?? GLYPHS.get(UNKNOWN) ?? '';
}

function drawGlyph(plane: TextPlane, glyph: string, left: number, top: number, scale: number, level: number): void {
  for (let row = 0; row < GLYPH_HEIGHT; row += 1) {
    const bits = Number.parseInt(glyph.slice(row * 2, row * 2 + 2), 16);
    for (let column = 0; column < GLYPH_WIDTH; column += 1) {
      if ((bits & (0x10 >> column)) === 0) continue;
      const start = (top + row * scale) * plane.stride + left + column * scale;
      for (let line = 0; line < scale; line += 1) {
        plane.data.fill(level, start + line * plane.stride, start + line * plane.stride + scale);
      }
    }
  }
}
