import { constants } from 'node:fs';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { groupOf } from './device-group.js';

/** A device that the kernel has for a camera. */
export interface CameraDevice {
  /** As `/dev/video0`. */
  readonly device: string;
  /** What its driver calls it. */
  readonly name: string;
  /** Which of the devices of one camera; 0 has the pictures, others as a rule data about them. */
  readonly index: number;
  /** Whether this process may open it. */
  readonly accessible: boolean;
  /** That may open it. */
  readonly group?: string;
}

/** Where to look; other places for tests. */
export interface CameraPlaces {
  readonly classFolder: string;
  readonly deviceFolder: string;
  readonly groups: string;
}

const PLACES: CameraPlaces = { classFolder: '/sys/class/video4linux', deviceFolder: '/dev', groups: '/etc/group' };
const VIDEO_DEVICE = /^video\d+$/;

/** The cameras that the kernel knows, by number. None where there is no V4L2. Nothing is opened. */
export async function listCameras(places: CameraPlaces = PLACES): Promise<readonly CameraDevice[]> {
  const names = await readdir(places.classFolder).catch(() => []);
  const numbered = names.filter((name) => VIDEO_DEVICE.test(name));
  numbered.sort((one, other) => Number(one.slice('video'.length)) - Number(other.slice('video'.length)));
  return Promise.all(numbered.map((name) => describe(name, places)));
}

async function describe(node: string, { classFolder, deviceFolder, groups }: CameraPlaces): Promise<CameraDevice> {
  const device = join(deviceFolder, node);
  const attribute = async (name: string): Promise<string> =>
    (await readFile(join(classFolder, node, name), 'utf8').catch(() => '')).trim();
  const [name, index, group, accessible] = await Promise.all([
    attribute('name'),
    attribute('index'),
    groupOf(device, groups),
    isAccessible(device),
  ]);
  return {
    device,
    name: name === '' ? node : name,
    index: Number(index),
    accessible,
    ...(group === undefined ? {} : { group }),
  };
}

async function isAccessible(device: string): Promise<boolean> {
  try {
    await access(device, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
