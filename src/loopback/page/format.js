/** A bitrate for people: bits, not bytes. */
export function formatBps(bps) {
  if (bps === undefined) return '–';
  return bps >= 999_500 ? `${(bps / 1_000_000).toFixed(2)} Mb/s` : `${Math.round(bps / 1000)} kb/s`;
}

/** A count with thousands separators. */
export function formatCount(count) {
  return count === undefined ? '–' : count.toLocaleString('en');
}

/** A duration as `1 h 02 min 03 s`, without units that are zero in front. */
export function formatDuration(ms) {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const units = ['h', 'min', 's'];
  const first = parts.findIndex((part) => part > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first)
    .map((part, index) => `${index > 0 ? String(part).padStart(2, '0') : part} ${units[first + index]}`)
    .join(' ');
}
