/** What is shown for a number that is not known. */
export const UNKNOWN = '–';

/** A bitrate for people. */
export function formatBps(bps: number | undefined): string {
  if (bps === undefined) return UNKNOWN;
  return bps >= 999_500 ? `${(bps / 1e6).toFixed(2)} Mb/s` : `${Math.round(bps / 1000)} kb/s`;
}

/** Milliseconds: with a decimal where that says something. */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return UNKNOWN;
  return `${ms < 9.95 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

/** A share of 0-1 in per cent. */
export function formatShare(share: number | undefined): string {
  if (share === undefined) return UNKNOWN;
  const percent = share * 100;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** A count with thousands apart. */
export function formatCount(count: number | undefined): string {
  return count === undefined ? UNKNOWN : count.toLocaleString('en');
}

/** What is left of a lease. */
export function formatLeft(ms: number): string {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.floor(ms / 1000) % 60} s`;
}

/** A weight as it is set. */
export function formatWeight(weight: number): string {
  return `× ${weight.toFixed(1)}`;
}

/** A bitrate at an axis. */
export function axisBps(bps: number): string {
  if (bps === 0) return '0';
  return bps >= 1e6 ? `${(bps / 1e6).toFixed(1)} Mb/s` : `${Math.round(bps / 1000)} kb/s`;
}

/** Milliseconds at an axis. */
export function axisMs(ms: number): string {
  return ms === 0 ? '0' : `${Math.round(ms)} ms`;
}
