import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { MAX_UNREAD_LOG_BYTES } from '../../src/service/log-output.js';
import { pinoLogger } from '../../src/service/pino-logger.js';

/** A stream that does with each write what a test says. */
class TestStream extends Writable {
  readonly lines: Readonly<Record<string, unknown>>[] = [];
  take: (done: (error?: Error) => void) => void = (done) => done();

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error) => void): void {
    this.lines.push(JSON.parse(chunk.toString()));
    this.take(done);
  }

  /** As the streams of the process do: an error is the error of one write. */
  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    done(error);
    (this as unknown as { _undestroy(): void })._undestroy();
  }
}

describe('the log of the service', () => {
  it('goes on after a write that failed, and tells how many lines were lost', async () => {
    const stream = new TestStream();
    const logger = pinoLogger('info', stream);
    stream.take = (done) => done(Object.assign(new Error('no space left on device'), { code: 'ENOSPC' }));
    logger.info('into a full disk');
    await new Promise(setImmediate);
    stream.take = (done) => done();
    logger.info('and now there is room');
    await new Promise(setImmediate);
    expect(stream.lines.at(-1)).toMatchObject({ level: 'info', linesLost: 1, msg: 'and now there is room' });
    expect(logger.linesLost).toBe(1);
  });

  it('leaves lines out while nobody reads them, and keeps a bounded amount', () => {
    const stream = new TestStream();
    stream.take = () => undefined;
    const logger = pinoLogger('info', stream);
    const message = 'x'.repeat(1000);
    for (let count = 0; count < 2000; count += 1) logger.info(message);
    expect(stream.writableLength).toBeGreaterThan(MAX_UNREAD_LOG_BYTES);
    expect(stream.writableLength).toBeLessThan(MAX_UNREAD_LOG_BYTES + 2000);
  });

  it('says nothing of lost lines where none were', () => {
    const stream = new TestStream();
    pinoLogger('info', stream).warn('well', { trackId: 'front' });
    expect(stream.lines).toEqual([{ level: 'warn', time: expect.any(String), trackId: 'front', msg: 'well' }]);
  });
});
