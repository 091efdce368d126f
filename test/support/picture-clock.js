// For a page under test, before its own scripts: notes when each picture of every track that it is told of leaves the decoder.

/** Milliseconds of the wall clock, of all tracks. */
const times = [];

window.watchTrack = (track) => {
  const frames = new MediaStreamTrackProcessor({ track: track.clone() }).readable;
  frames.pipeTo(
    new WritableStream({
      write: (frame) => {
        frame.close();
        times.push(performance.timeOrigin + performance.now());
      },
    }),
  );
};

/** The first picture after each pause of more than this, with the length of the pause; and the last picture. */
window.picturesAfterPauses = (pauseMs) => ({
  after: times.flatMap((atMs, index) => {
    const lengthMs = atMs - times[index - 1];
    return lengthMs > pauseMs ? [{ atMs, lengthMs }] : [];
  }),
  lastMs: times.at(-1) ?? 0,
});
