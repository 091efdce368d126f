import { CameraCard } from './camera-card.js';
import { formatBps, formatCount, formatDuration } from './format.js';
import { WhepViewer } from './whep-viewer.js';

const POLL_MS = 500;
const RENDER_MS = 1_000;
/** Sliders send at most this often, and always their last value. */
const SEND_MS = 100;
const ERROR_SHOWN_MS = 6_000;
/** How long the total slider that was moved is left alone by the status. */
const HANDS_OFF_MS = 2_000;
/** Ends of the total bitrate slider; it is logarithmic between them. */
const MIN_TOTAL_BPS = 100_000;
const MAX_TOTAL_BPS = 50_000_000;

const query = new URLSearchParams(location.search);
const room = query.get('room') ?? 'demo';
/** The encoding of simulcast tracks that is seen until another one is chosen; by default the publisher's first. */
const rid = query.get('rid');
const element = (id) => document.getElementById(id);
const cards = new Map();
const viewer = new WhepViewer(
  `/whep/${encodeURIComponent(room)}${rid === null ? '' : `?rid=${encodeURIComponent(rid)}`}`,
  {
    changed: attachReceivers,
    failed: (error) => showError('No video', error),
  },
);
let tracks = [];
let status = null;
let totalMovedAt = Number.NEGATIVE_INFINITY;
let errorTimer;

/** For tests: what every camera's decoder has done. */
window.framelockStats = () => [...cards.values()].map((card) => card.stats);

follow(`/rooms/${encodeURIComponent(room)}/events`, (snapshot) => {
  // A publisher that is gone for a moment keeps its cards.
  if (snapshot.tracks.length > 0) tracks = snapshot.tracks;
  syncCards();
  if (snapshot.tracks.length > 0 && snapshot.tracks.length !== viewer.capacity) {
    viewer.connect(snapshot.tracks.length);
  }
  attachReceivers();
});

follow('/api/events', (snapshot) => {
  status = snapshot;
  syncCards();
  for (const card of cards.values()) card.update(status.tracks.find((track) => track.id === card.id) ?? null);
  renderTotals();
});

const sendWeights = coalesced(() => {
  const weights = Object.fromEntries([...cards.values()].map((card) => [card.id, card.weight]));
  return call('Weights not applied', 'PUT', '/api/allocation', { weights });
});

const sendBitrate = coalesced(() =>
  call('Bitrate not applied', 'PUT', '/api/bitrate', { bitrateBps: sliderToBps(Number(element('bitrate').value)) }),
);

const actions = {
  weigh: sendWeights,
  requestKeyFrame: (id) => call('No key frame', 'POST', `/api/tracks/${encodeURIComponent(id)}/key-frame`),
  changeCodec: (id, codec) =>
    call('Codec not changed', 'PUT', `/api/tracks/${encodeURIComponent(id)}/codec`, { codec }),
  resize: (id, size) => call('Size not changed', 'PUT', `/api/tracks/${encodeURIComponent(id)}/size`, size),
  chooseLayer: (index, chosen) =>
    viewer.choose(index, chosen).catch((error) => showError('Encoding not changed', error)),
  recreateEncoder: (id) =>
    call('Encoder not swapped', 'POST', `/api/tracks/${encodeURIComponent(id)}/recreate-encoder`),
};

element('bitrate').addEventListener('input', () => {
  totalMovedAt = performance.now();
  renderBitrate(sliderToBps(Number(element('bitrate').value)));
  sendBitrate();
});

addEventListener('pagehide', () => viewer.close());
addEventListener('pageshow', (event) => {
  if (event.persisted && tracks.length > 0) viewer.connect(tracks.length);
});

setInterval(() => {
  for (const card of cards.values()) card.poll().catch((error) => showError('No statistics', error));
}, POLL_MS);
setInterval(() => {
  for (const card of cards.values()) card.render();
  renderTotals();
  renderConnection();
}, RENDER_MS);

/** Listens to a feed of snapshots; the browser connects again by itself. */
function follow(url, handle) {
  new EventSource(url).onmessage = (event) => handle(JSON.parse(event.data));
}

/** One card for every camera that is published or that the sender tells of, in the order of the room. */
function syncCards() {
  const ids = new Set([...tracks.map((track) => track.id), ...(status?.tracks ?? []).map((track) => track.id)]);
  for (const [id, card] of cards) {
    if (ids.has(id)) continue;
    card.element.remove();
    cards.delete(id);
  }
  for (const id of ids) {
    if (cards.has(id)) continue;
    const card = new CameraCard(id, element('camera'), actions);
    cards.set(id, card);
    element('cameras').append(card.element);
  }
  element('empty').hidden = cards.size > 0;
}

function attachReceivers() {
  for (const card of cards.values()) {
    const track = tracks.find((candidate) => candidate.id === card.id);
    card.attach(track === undefined ? undefined : viewer.receiver(track.index), track?.codec ?? '');
    card.offerLayers(track?.index ?? 0, track?.layers?.map((layer) => layer.rid) ?? [], rid);
  }
  renderConnection();
}

function renderConnection() {
  const live = [...cards.values()].some((card) => card.decoding);
  const [tone, text] =
    viewer.state === 'connected'
      ? live
        ? ['good', 'Live']
        : ['wait', 'Connected, no video']
      : viewer.state === 'new'
        ? ['wait', 'Waiting']
        : ['wait', 'Connecting'];
  // Set only when it changes: a screen reader speaks every change.
  const chip = element('connection');
  if (chip.textContent === text) return;
  chip.dataset.tone = tone;
  chip.textContent = text;
}

function renderTotals() {
  const all = [...cards.values()];
  element('total-received').textContent = formatBps(all.reduce((sum, card) => sum + card.receivedBps, 0));
  if (status === null) return;
  element('sender-state').textContent = status.state;
  element('total-target').textContent = formatBps(status.targetBps);
  element('total-swaps').textContent = formatCount(all.reduce((sum, card) => sum + card.swaps, 0));
  element('uptime').textContent = formatDuration(status.uptimeMs);
  const slider = element('bitrate');
  slider.disabled = false;
  if (performance.now() - totalMovedAt < HANDS_OFF_MS) return;
  slider.value = String(bpsToSlider(status.targetBps));
  renderBitrate(status.targetBps);
}

function renderBitrate(bps) {
  const text = formatBps(bps);
  element('bitrate-value').textContent = text;
  element('bitrate').setAttribute('aria-valuetext', text);
}

function sliderToBps(position) {
  const bps = MIN_TOTAL_BPS * (MAX_TOTAL_BPS / MIN_TOTAL_BPS) ** (position / 100);
  return Math.round(bps / 10_000) * 10_000;
}

function bpsToSlider(bps) {
  return (100 * Math.log(bps / MIN_TOTAL_BPS)) / Math.log(MAX_TOTAL_BPS / MIN_TOTAL_BPS);
}

/** Runs `send` now if the last run was long enough ago and is finished, else once it is. */
function coalesced(send) {
  let running = false;
  let again = false;
  const run = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    again = false;
    await Promise.all([send(), new Promise((resolve) => setTimeout(resolve, SEND_MS))]);
    running = false;
    if (again) run();
  };
  return run;
}

/** Calls the API; a failure is shown and not thrown. */
async function call(failure, method, path, body) {
  try {
    const response = await fetch(path, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (response.ok) return;
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? `status ${response.status}`);
  } catch (error) {
    showError(failure, error);
  }
}

function showError(what, error) {
  const line = element('error');
  line.textContent = `${what}: ${error.message}`;
  line.hidden = false;
  clearTimeout(errorTimer);
  errorTimer = setTimeout(() => {
    line.hidden = true;
  }, ERROR_SHOWN_MS);
}
