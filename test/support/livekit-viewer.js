// For a page under test: receives all tracks of a room of LiveKit over its own protocol (livekit_rtc.proto), each of which is shown by the id that the
// server gave it.

/** Fields of `SignalRequest` and `SignalResponse`. */
const ANSWER = 2;
const OFFER = 3;
const TRICKLE = 4;
const SUBSCRIPTION = 6;
const TRACK_SETTING = 7;
const PING = 14;
/** Of `TrickleRequest.target`. */
const SUBSCRIBER = 1n;

const viewer = {};

/** The fields of a protobuf message by number, the last of each: numbers as BigInt, the others as bytes. */
function readMessage(bytes) {
  const fields = new Map();
  let at = 0;
  const readNumber = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[at]);
      at += 1;
      value |= (byte & 0x7fn) << shift;
      if (byte < 0x80n) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(readNumber());
    const type = tag & 7;
    if (type === 0) {
      fields.set(tag >> 3, readNumber());
    } else {
      const length = type === 2 ? Number(readNumber()) : type === 1 ? 8 : 4;
      fields.set(tag >> 3, bytes.subarray(at, at + length));
      at += length;
    }
  }
  return fields;
}

function numberBytes(value) {
  const bytes = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    if (rest < 0x80n) return [...bytes, Number(rest)];
    bytes.push(Number(rest & 0x7fn) | 0x80);
  }
}

/** A message with these fields, each a number, a text or the bytes of another message. */
function writeMessage(fields) {
  return fields.flatMap(([number, value]) => {
    if (typeof value === 'bigint') return [...numberBytes(number << 3), ...numberBytes(value)];
    const bytes = typeof value === 'string' ? [...new TextEncoder().encode(value)] : value;
    return [...numberBytes((number << 3) | 2), ...numberBytes(bytes.length), ...bytes];
  });
}

function textOf(bytes) {
  return new TextDecoder().decode(bytes);
}

async function answer(socket, offer) {
  await viewer.connection.setRemoteDescription({ type: 'offer', sdp: textOf(offer.get(2)) });
  await viewer.connection.setLocalDescription();
  await new Promise((resolve) => {
    const check = () => viewer.connection.iceGatheringState === 'complete' && resolve();
    viewer.connection.onicegatheringstatechange = check;
    check();
  });
  const { type, sdp } = viewer.connection.localDescription;
  const description = [
    [1, type],
    [2, sdp],
    [3, offer.get(3) ?? 0n],
  ];
  socket.send(new Uint8Array(writeMessage([[ANSWER, writeMessage(description)]])));
}

async function heard(socket, message) {
  const offer = message.get(OFFER);
  if (offer !== undefined) await answer(socket, readMessage(offer));
  const trickle = message.get(TRICKLE) && readMessage(message.get(TRICKLE));
  if (trickle?.get(2) === SUBSCRIBER && trickle.has(1)) {
    await viewer.connection.addIceCandidate(JSON.parse(textOf(trickle.get(1))));
  }
}

function show({ track }) {
  const player = document.createElement('video');
  player.srcObject = new MediaStream([track]);
  player.muted = true;
  const camera = document.createElement('article');
  camera.dataset.trackId = track.id;
  camera.append(player);
  document.body.append(camera);
  player.play();
  window.watchTrack?.(track);
}

/** Subscribes to what there is in the room of a token, and to what comes later. Resolves when the server has let us in. */
window.watchRoom = async (host, token) => {
  viewer.connection = new RTCPeerConnection();
  viewer.connection.ontrack = show;
  const socket = new WebSocket(`ws://${host}/rtc?access_token=${token}&auto_subscribe=1&protocol=15`);
  viewer.socket = socket;
  socket.binaryType = 'arraybuffer';
  let turn = Promise.resolve();
  await new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      resolve();
      turn = turn.then(() => heard(socket, readMessage(new Uint8Array(data))));
    };
    socket.onerror = () => reject(new Error(`no WebSocket to ${host}`));
  });
  setInterval(() => socket.send(new Uint8Array(writeMessage([[PING, BigInt(Date.now())]]))), 5000);
};

/** Takes the encoding of a simulcast track that LiveKit calls by this number: 0 is the smallest, 2 the largest. */
window.takeQuality = (trackId, quality) => {
  const setting = writeMessage([
    [1, trackId],
    [4, BigInt(quality)],
  ]);
  viewer.socket.send(new Uint8Array(writeMessage([[TRACK_SETTING, setting]])));
};

/** Takes a track no more. */
window.leaveTrack = (trackId) => {
  const wish = writeMessage([[1, trackId]]);
  viewer.socket.send(new Uint8Array(writeMessage([[SUBSCRIPTION, wish]])));
};

/** What is received of each track. */
window.received = async () => {
  const reports = await viewer.connection.getStats();
  return [...reports.values()]
    .filter(({ type }) => type === 'inbound-rtp')
    .map(({ trackIdentifier, codecId, framesDecoded = 0, totalFreezesDuration = 0 }) => ({
      mid: trackIdentifier,
      codec: reports.get(codecId)?.mimeType ?? '',
      framesDecoded,
      frozenS: totalFreezesDuration,
    }));
};
