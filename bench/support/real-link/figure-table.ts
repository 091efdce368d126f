import type { RealScenario } from './scenarios.js';

/** What a scenario came to. */
export interface ScenarioFigures {
  readonly scenario: RealScenario;
  readonly figures: Readonly<Record<string, number>>;
}

const NAME_COLUMNS = 20;
const VALUE_COLUMNS = 12;

/** The figures of all scenarios, for people, beside those of native libwebrtc. */
export function figureTable(results: readonly ScenarioFigures[]): string {
  return results
    .flatMap(({ scenario: { title, native }, figures }) => [
      '',
      title,
      `  ${''.padEnd(NAME_COLUMNS)}${'measured'.padStart(VALUE_COLUMNS)}${'to beat'.padStart(VALUE_COLUMNS)}`,
      ...Object.entries(figures).map(([name, value]) => {
        const text = value.toFixed(name.endsWith('_ms') || name.includes('_ms_') ? 0 : 1);
        return `  ${name.padEnd(NAME_COLUMNS)}${text.padStart(VALUE_COLUMNS)}${(native[name] ?? '').padStart(VALUE_COLUMNS)}`;
      }),
    ])
    .join('\n');
}
