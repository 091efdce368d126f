import { existsSync, type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

/**
 * Tells when something happens to a path: it appears, its permissions change, it goes. As long as its folder is not there, the nearest
 * one above it is watched, as for `/dev/v4l/by-id`, which comes and goes with the cameras. Where the system refuses to watch, nothing is told:
 * whoever asks must look by itself from time to time.
 *
 * @param changed called with each change, perhaps once too often; must not throw
 * @returns ends it; afterwards nothing is told
 */
export function watchPath(path: string, changed: () => void): () => void {
  const target = resolve(path);
  let watcher: FSWatcher | undefined;
  let ended = false;
  const look = (): void => {
    watcher?.close();
    watcher = undefined;
    if (ended) return;
    const { folder, entry } = nearestFolder(target);
    try {
      watcher = watch(folder, { persistent: false }, (_event, name) => {
        if (ended || (name !== null && name !== entry)) return;
        // The next folder on the way may be there by now.
        if (folder !== dirname(target)) look();
        changed();
      });
    } catch {
      // Too many watches, or the folder has just gone: not told, as documented.
      return;
    }
    watcher.on('error', () => watcher?.close());
  };
  look();
  return () => {
    ended = true;
    watcher?.close();
  };
}

/** The nearest folder above a path that is there, and what is looked for in it. */
function nearestFolder(target: string): { readonly folder: string; readonly entry: string } {
  let entry = target;
  for (;;) {
    const folder = dirname(entry);
    if (folder === entry || existsSync(folder)) return { folder, entry: basename(entry) };
    entry = folder;
  }
}
