import { Counter, Gauge, type Registry } from 'prom-client';

/** One value of a family; the labels are those beyond the ones that its reading has. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Metrics of one name: what they are, and how they are read from whatever they measure. */
export interface Family<Reading> {
  readonly type: 'counter' | 'gauge';
  /** By the conventions of Prometheus: base units, `_total` for counters. */
  readonly name: string;
  readonly help: string;
  /** Names of the labels of its samples. @default none */
  readonly labels?: readonly string[];
  /** A value, several, or `undefined` where there is none now. */
  read(reading: Reading): number | undefined | Iterable<Sample>;
}

/** A family of one counter. */
export function counter<Reading>(name: string, help: string, read: (reading: Reading) => number): Family<Reading> {
  return { type: 'counter', name, help, read };
}

/** A family of one gauge, or of none while there is nothing to tell. */
export function gauge<Reading>(
  name: string,
  help: string,
  read: (reading: Reading) => number | undefined,
): Family<Reading> {
  return { type: 'gauge', name, help, read };
}

/** Something that is measured, with the labels of all its series. */
export interface Measured<Reading> {
  readonly labels: Readonly<Record<string, string>>;
  readonly reading: Reading;
}

/**
 * Registers families that are read when they are scraped: series come and go with what they measure, and nothing is counted twice.
 *
 * @param labelNames labels of the readings
 * @param measured what there is now; best from {@link perScrape}
 * @returns the names
 */
export function registerFamilies<Reading>(
  registry: Registry,
  labelNames: readonly string[],
  families: readonly Family<Reading>[],
  measured: () => Iterable<Measured<Reading>>,
): readonly string[] {
  for (const { type, name, help, labels = [], read } of families) {
    const samples = function* (): Generator<Required<Sample>> {
      for (const { labels: common, reading } of measured()) {
        const value = read(reading);
        if (typeof value === 'number') yield { labels: common, value };
        else for (const sample of value ?? []) yield { labels: { ...common, ...sample.labels }, value: sample.value };
      }
    };
    const configuration = { name, help, registers: [registry], labelNames: [...labelNames, ...labels] };
    if (type === 'counter') {
      new Counter({
        ...configuration,
        collect() {
          this.reset();
          for (const sample of samples()) this.inc(sample.labels, sample.value);
        },
      });
    } else {
      new Gauge({
        ...configuration,
        collect() {
          this.reset();
          for (const sample of samples()) this.set(sample.labels, sample.value);
        },
      });
    }
  }
  return families.map(({ name }) => name);
}

/** What `read` gives, read once for all families of a scrape: prom-client collects them within one turn of the event loop. */
export function perScrape<T>(read: () => T): () => T {
  let kept: { readonly value: T } | undefined;
  return () => {
    if (kept === undefined) {
      kept = { value: read() };
      queueMicrotask(() => {
        kept = undefined;
      });
    }
    return kept.value;
  };
}

/** One sample for each state that there can be: 1 for the present one. */
export function* stateSet(label: string, states: readonly string[], present: string | undefined): Generator<Sample> {
  for (const state of states) yield { labels: { [label]: state }, value: state === present ? 1 : 0 };
}
