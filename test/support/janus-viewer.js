// For a page under test: watches the one publisher of a room of Janus, each of whose m-lines is shown by its mid.

const viewer = { published: 0, feedMids: new Map() };

/** Requests over one session, by which the page is in the room twice: to hear of publishers, and to receive them. */
async function openSession(url) {
  const socket = new WebSocket(url, 'janus-protocol');
  const waiting = new Map();
  const handles = new Map();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.janus === 'ack') return;
    const resolve = waiting.get(message.transaction);
    waiting.delete(message.transaction);
    if (resolve !== undefined) resolve(message);
    else handles.get(message.sender)?.(message);
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`no WebSocket to ${url}`));
  });
  const request = async (fields) => {
    const transaction = crypto.randomUUID();
    const replied = new Promise((resolve) => waiting.set(transaction, resolve));
    socket.send(JSON.stringify({ ...fields, transaction }));
    const reply = await replied;
    const problem = reply.error?.reason ?? reply.plugindata?.data.error;
    if (problem !== undefined) throw new Error(problem);
    return reply;
  };
  const session_id = (await request({ janus: 'create' })).data.id;
  /** A handle; the function that it gives asks the VideoRoom. */
  return async (heard) => {
    const handle_id = (await request({ janus: 'attach', session_id, plugin: 'janus.plugin.videoroom' })).data.id;
    handles.set(handle_id, heard);
    return (body, jsep) => request({ janus: 'message', session_id, handle_id, body, jsep });
  };
}

/** Answers an offer of Janus with every candidate in it. */
async function answer(ask, { plugindata, jsep }) {
  for (const { mid, feed_mid } of plugindata.data.streams ?? []) viewer.feedMids.set(mid, feed_mid);
  if (jsep === undefined) return;
  await viewer.connection.setRemoteDescription(jsep);
  await viewer.connection.setLocalDescription();
  await new Promise((resolve) => {
    const check = () => viewer.connection.iceGatheringState === 'complete' && resolve();
    viewer.connection.onicegatheringstatechange = check;
    check();
  });
  const { type, sdp } = viewer.connection.localDescription;
  await ask({ request: 'start' }, { type, sdp, trickle: false });
}

function show({ track, transceiver }) {
  const player = document.createElement('video');
  player.srcObject = new MediaStream([track]);
  player.muted = true;
  const camera = document.createElement('article');
  camera.dataset.trackId = viewer.feedMids.get(transceiver.mid);
  camera.append(player);
  document.body.append(camera);
  player.play();
  window.watchTrack?.(track);
}

/** Subscribes to what the publisher of a room has, and to what it adds later. Resolves when the first offer is answered. */
window.watchRoom = async (url, room, pin) => {
  const attach = await openSession(url);
  let turn = Promise.resolve();
  let subscribed = new Set();
  viewer.connection = new RTCPeerConnection();
  viewer.connection.ontrack = show;

  const receiver = await attach((message) => {
    if (message.plugindata !== undefined) turn = turn.then(() => answer(receiver, message));
  });
  viewer.receiver = receiver;
  const follow = async ([publisher]) => {
    if (publisher === undefined) return;
    const live = publisher.streams.filter(({ disabled }) => disabled !== true);
    viewer.published = live.length;
    const key = ({ mid }) => `${publisher.id} ${mid}`;
    const fresh = live.filter((stream) => !subscribed.has(key(stream)));
    const joined = subscribed.size > 0;
    subscribed = new Set(live.map(key));
    if (fresh.length === 0) return;
    const streams = fresh.map(({ mid }) => ({ feed: publisher.id, mid }));
    const request = joined ? { request: 'subscribe' } : { request: 'join', ptype: 'subscriber', room, pin };
    await answer(receiver, await receiver({ ...request, streams }));
  };
  viewer.lobby = await attach(({ plugindata }) => {
    const publishers = plugindata?.data.publishers;
    if (publishers !== undefined) turn = turn.then(() => follow(publishers));
  });
  const { plugindata } = await viewer.lobby({ request: 'join', ptype: 'publisher', room, pin });
  turn = turn.then(() => follow(plugindata.data.publishers));
  await turn;
};

/** Takes another encoding of a simulcast m-line of the publisher: 0 is the last that was offered, and so on. */
window.takeSubstream = async (feedMid, substream) => {
  const [mid] = [...viewer.feedMids].find(([, published]) => published === feedMid);
  await viewer.receiver({ request: 'configure', streams: [{ mid, substream }] });
};

/** Takes the temporal layers of a simulcast m-line of the publisher up to this one. */
window.takeTemporalLayer = async (feedMid, temporal) => {
  const [mid] = [...viewer.feedMids].find(([, published]) => published === feedMid);
  await viewer.receiver({ request: 'configure', streams: [{ mid, temporal }] });
};

/** How many live m-lines the publisher has. */
window.publishedStreams = () => viewer.published;

/** How many others are in the room. */
window.othersInRoom = async (room) => {
  const { plugindata } = await viewer.lobby({ request: 'listparticipants', room });
  return plugindata.data.participants.length - 1;
};

/** What is received of each m-line of the publisher. */
window.received = async () => {
  const reports = await viewer.connection.getStats();
  return [...reports.values()]
    .filter(({ type }) => type === 'inbound-rtp')
    .map(({ mid, codecId, framesDecoded = 0, totalFreezesDuration = 0 }) => ({
      mid: viewer.feedMids.get(mid),
      codec: reports.get(codecId)?.mimeType ?? '',
      framesDecoded,
      frozenS: totalFreezesDuration,
    }));
};
