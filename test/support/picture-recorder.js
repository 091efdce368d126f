// For a page under test; it runs before the page's own scripts.

/** Size of what is kept of a picture: its bar code, the bottom 4/30, scaled from whatever size the picture has. */
const STRIP_WIDTH = 320;
const STRIP_HEIGHT = 32;
/** Pictures that wait when the page is busy; one more and one is lost. */
const WAITING_PICTURES = 30;

/**
 * Records what the <video> of a camera gets from now on. `decoded`: every picture of its track, from the decoder, so that none is missed
 * when the browser does not get round to painting. `painted`: those that it paints, as requestVideoFrameCallback tells.
 */
window.recordPictures = (trackId) => {
  const video = document.querySelector(`[data-track-id="${trackId}"] video`);
  const context = new OffscreenCanvas(STRIP_WIDTH, STRIP_HEIGHT).getContext('2d', { willReadFrequently: true });
  const decoded = [];
  const painted = [];

  /** The bar code as one byte a pixel; its cells are grey, so that one channel tells all. */
  const keep = (pictures, image, width, height) => {
    context.drawImage(image, 0, (height * 26) / 30, width, (height * 4) / 30, 0, 0, STRIP_WIDTH, STRIP_HEIGHT);
    const { data } = context.getImageData(0, 0, STRIP_WIDTH, STRIP_HEIGHT);
    const grey = Array.from({ length: STRIP_WIDTH * STRIP_HEIGHT }, (_, at) => String.fromCharCode(data[4 * at + 1]));
    pictures.push({ width, height, strip: btoa(grey.join('')) });
  };

  const [track] = video.srcObject.getVideoTracks();
  const frames = new MediaStreamTrackProcessor({ track, maxBufferSize: WAITING_PICTURES }).readable;
  frames.pipeTo(
    new WritableStream({
      write: (frame) => {
        keep(decoded, frame, frame.displayWidth, frame.displayHeight);
        frame.close();
      },
    }),
  );
  const paint = () => {
    keep(painted, video, video.videoWidth, video.videoHeight);
    video.requestVideoFrameCallback(paint);
  };
  video.requestVideoFrameCallback(paint);
  window.recordedPictures = () => ({ decoded, painted });
};
