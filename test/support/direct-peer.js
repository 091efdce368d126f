// For a page under test: a receiver without an SFU, which answers a sender's offers by itself.

const connection = new RTCPeerConnection();
const samples = [];

connection.ontrack = ({ track }) => {
  const player = document.createElement(track.kind);
  player.srcObject = new MediaStream([track]);
  player.muted = track.kind === 'video';
  const camera = document.createElement('article');
  camera.dataset.trackId = track.kind;
  camera.append(player);
  document.body.append(camera);
  player.play();
  if (track.kind === 'audio') listen(track);
};

/** Keeps the last second of the first channel. */
function listen(track) {
  new MediaStreamTrackProcessor({ track, maxBufferSize: 100 }).readable.pipeTo(
    new WritableStream({
      write: (sound) => {
        const portion = new Float32Array(sound.numberOfFrames);
        sound.copyTo(portion, { planeIndex: 0, format: 'f32-planar' });
        samples.push(...portion);
        samples.splice(0, samples.length - sound.sampleRate);
        sound.close();
      },
    }),
  );
}

/** The answer to an offer, with every candidate in it. */
window.answer = async (sdp) => {
  await connection.setRemoteDescription({ type: 'offer', sdp });
  await connection.setLocalDescription();
  await new Promise((resolve) => {
    const check = () => connection.iceGatheringState === 'complete' && resolve();
    connection.onicegatheringstatechange = check;
    check();
  });
  return connection.localDescription.sdp;
};

/** What the receiver of one kind of media has received, with the codec that it decodes. */
window.inbound = async (kind) => {
  const reports = await connection.getStats();
  const report = [...reports.values()].find((entry) => entry.type === 'inbound-rtp' && entry.kind === kind) ?? {};
  const { framesDecoded = 0, totalSamplesReceived = 0, concealedSamples = 0, totalAudioEnergy = 0 } = report;
  const codec = reports.get(report.codecId)?.mimeType ?? '';
  return { codec, framesDecoded, totalSamplesReceived, concealedSamples, totalAudioEnergy };
};

window.heardSamples = () => samples;
