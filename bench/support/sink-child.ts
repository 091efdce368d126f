// The child of sink-process.ts: answers each offer that its parent sends, takes what comes and asks for nothing, until its parent goes away.
import { RawSink } from './raw-sink.js';

const sinks: RawSink[] = [];
process.on('message', (offer: string) => {
  void RawSink.open().then((sink) => {
    sinks.push(sink);
    process.send?.(sink.answer(offer));
  });
});
process.once('disconnect', () => {
  for (const sink of sinks) void sink.close();
});
