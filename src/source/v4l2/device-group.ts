import { readFile, stat } from 'node:fs/promises';

/**
 * The group that a device belongs to, by name, or by number where it has none; nothing if it cannot be found out.
 * @param groups where groups are listed, as in group(5)
 */
export async function groupOf(device: string, groups = '/etc/group'): Promise<string | undefined> {
  try {
    const { gid } = await stat(device);
    const lines = (await readFile(groups, 'utf8')).split('\n');
    return lines.find((line) => line.split(':')[2] === String(gid))?.split(':')[0] ?? String(gid);
  } catch {
    // For a message, which does without.
    return undefined;
  }
}
