import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { camerasBeyond, launchBrowser, openPage } from '../support/browser.js';
import { Program } from '../support/program.js';

let browser: Browser;
const programs: Program[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
});

afterAll(() => browser.close());

afterEach(async () => {
  await Promise.all(programs.splice(0).map((program) => program.kill()));
});

function start(...args: string[]): Program {
  const program = new Program(args);
  programs.push(program);
  return program;
}

describe.each(['vp9', 'av1'])('framelock publish --codec %s to a loopback SFU', (codec) => {
  it('is played by a browser, also one that comes in the middle', async () => {
    const [, url = ''] = await start('demo', '--port', '0').printed(/Live video at (\S+)/);
    const source = ['--source', 'test:640x480@30', '--codec', codec];
    const publisher = start('publish', ...source, '--whip', `${url}whip/${codec}`, '--json');
    await publisher.printed(/"state":"connected".*"framesSent":[1-9]/);
    const [, id = ''] = /"id":"([^"]+)"/.exec(publisher.stdout) ?? [];
    for (const frames of [60, 30]) {
      const { page, errors } = await openPage(browser, `${url}?room=${codec}`);
      const [camera] = await camerasBeyond(page, [id], frames);
      expect(camera).toMatchObject({ width: 640, height: 480 });
      expect(errors).toEqual([]);
      await page.close();
    }
    const answer = await fetch(new URL('/rooms', url));
    const rooms = (await answer.json()) as { room: string; tracks: { codec: string }[] }[];
    expect(rooms.find(({ room }) => room === codec)?.tracks.map((track) => track.codec)).toEqual([codec.toUpperCase()]);
  });
});
