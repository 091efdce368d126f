import { formatBps, formatCount } from './format.js';

/** A picture that brings no new frame for this long is stalled. */
const STALL_MS = 2_000;
/** Seconds in the diagram of rates. */
const HISTORY = 60;
/** How long a control that was used is left alone by the status. */
const HANDS_OFF_MS = 2_000;

const HEALTH = {
  ok: { tone: 'good', text: 'Live' },
  paused: { tone: 'wait', text: 'Paused', curtain: 'Paused' },
  waiting: { tone: 'wait', text: 'Waiting', curtain: 'Waiting for video…' },
  stalled: { tone: 'bad', text: 'Stalled' },
  failed: { tone: 'bad', text: 'Failed', curtain: 'Camera failed' },
};

/** One camera on the page: its picture, its numbers and its controls. */
export class CameraCard {
  id;
  element;
  #parts;
  #receiver = null;
  #codec = '';
  /** Its place in the room. */
  #index = 0;
  #status = null;
  #stats = {
    codec: '',
    framesDecoded: 0,
    width: 0,
    height: 0,
    framesPerSecond: 0,
    freezeCount: 0,
    receivedBps: undefined,
  };
  #last = null;
  #decodedAt = Number.NEGATIVE_INFINITY;
  #movedAt = Number.NEGATIVE_INFINITY;
  #chosenAt = Number.NEGATIVE_INFINITY;
  #history = [];

  /**
   * `actions`: `weigh()`, `changeCodec(id, codec)`, `resize(id, { width, height })`, `chooseLayer(index, rid)`, `requestKeyFrame(id)` and
   * `recreateEncoder(id)`.
   */
  constructor(id, template, actions) {
    this.id = id;
    this.element = template.content.cloneNode(true).firstElementChild;
    this.element.dataset.trackId = id;
    const find = (selector) => this.element.querySelector(selector);
    this.#parts = {
      video: find('video'),
      curtain: find('.curtain'),
      chip: find('.chip'),
      summary: find('.summary'),
      slider: find('input'),
      weight: find('output'),
      target: find('.target'),
      received: find('.received'),
      ratesTitle: find('.rates title'),
      codec: find('[data-action="codec"]'),
      size: find('[data-action="size"]'),
      layer: find('[data-action="layer"]'),
      buttons: [...this.element.querySelectorAll('button')],
    };
    find('h2').textContent = id;
    this.#parts.video.setAttribute('aria-label', `Live picture of ${id}`);
    this.#parts.slider.setAttribute('aria-label', `Weight of ${id}`);
    this.#parts.slider.addEventListener('input', () => {
      this.#movedAt = performance.now();
      this.#renderWeight();
      actions.weigh();
    });
    this.#choice(this.#parts.codec, 'Codec', (codec) => actions.changeCodec(id, codec));
    this.#choice(this.#parts.size, 'Size', (name) => {
      const [width, height] = name.split('x').map(Number);
      actions.resize(id, { width, height });
    });
    this.#choice(this.#parts.layer, 'Encoding', (rid) => actions.chooseLayer(this.#index, rid));
    const [keyFrame, recreate] = this.#parts.buttons;
    keyFrame.setAttribute('aria-label', `Key frame of ${id}`);
    recreate.setAttribute('aria-label', `Swap encoder of ${id}`);
    keyFrame.addEventListener('click', () => actions.requestKeyFrame(id));
    recreate.addEventListener('click', () => actions.recreateEncoder(id));
    this.#setControls(false);
  }

  /** The weight that the user sees. */
  get weight() {
    return Number(this.#parts.slider.value);
  }

  get receivedBps() {
    return this.#stats.receivedBps ?? 0;
  }

  get swaps() {
    return this.#status?.swaps ?? 0;
  }

  get decoding() {
    return performance.now() - this.#decodedAt < STALL_MS;
  }

  /** For tests: what the decoder has done. */
  get stats() {
    const { codec, framesDecoded, width, height, framesPerSecond, freezeCount } = this.#stats;
    return { id: this.id, codec, framesDecoded, width, height, framesPerSecond, freezeCount };
  }

  /** Shows what a receiver gets; `codec` as the SFU knows it. */
  attach(receiver, codec) {
    this.#codec = codec;
    if (receiver === this.#receiver) return;
    this.#receiver = receiver ?? null;
    this.#last = null;
    this.#stats = { ...this.#stats, receivedBps: undefined };
    const { video } = this.#parts;
    video.srcObject = receiver ? new MediaStream([receiver.track]) : null;
    // By its attribute alone Chromium plays a muted video only while it is on the screen. Where a browser refuses, the attribute is what is left.
    if (receiver) video.play().catch(() => undefined);
  }

  /** Takes over what the sender says of this camera; `null` when it no longer has it. */
  update(status) {
    this.#status = status;
    this.#setControls(status !== null);
    if (status === null) return;
    this.#renderChoices();
    if (performance.now() - this.#movedAt < HANDS_OFF_MS) return;
    const { slider } = this.#parts;
    slider.max = String(Math.max(Number(slider.max), status.weight));
    slider.value = String(status.weight);
    this.#renderWeight();
  }

  /** Reads the decoder's statistics. */
  async poll() {
    const receiver = this.#receiver;
    if (receiver === null) return;
    const reports = await receiver.getStats();
    const report = [...reports.values()].find((entry) => entry.type === 'inbound-rtp');
    if (report === undefined || receiver !== this.#receiver) return;
    const last = this.#last;
    this.#last = report;
    const elapsedMs = last === null ? 0 : report.timestamp - last.timestamp;
    if (report.framesDecoded > (last?.framesDecoded ?? 0)) this.#decodedAt = performance.now();
    this.#stats = {
      codec: reports.get(report.codecId)?.mimeType.replace('video/', '') ?? '',
      framesDecoded: report.framesDecoded ?? 0,
      width: report.frameWidth ?? 0,
      height: report.frameHeight ?? 0,
      framesPerSecond: report.framesPerSecond ?? 0,
      freezeCount: report.freezeCount ?? 0,
      receivedBps: elapsedMs > 0 ? ((report.bytesReceived - last.bytesReceived) * 8000) / elapsedMs : undefined,
    };
  }

  /** Shows the numbers; called once a second. */
  render() {
    const { framesDecoded, width, height, framesPerSecond, receivedBps } = this.#stats;
    const status = this.#status;
    this.#show('received', formatBps(receivedBps));
    this.#show('target', formatBps(status?.targetBps));
    this.#show('fps', String(this.decoding ? Math.round(framesPerSecond) : 0));
    this.#show('decoded', formatCount(framesDecoded));
    this.#show('dropped', formatCount(status?.framesDropped));
    this.#show('swaps', formatCount(status?.swaps));
    const size = width > 0 ? `${width} × ${height}` : '';
    const codec = (status?.codec || this.#codec).toUpperCase();
    const shown = [status?.source, codec, status?.encoderImplementation, size].filter(Boolean);
    this.#parts.summary.textContent = shown.join(' · ');
    this.#parts.summary.title = this.#parts.summary.textContent;
    this.#renderHealth();
    this.#history.push({ received: receivedBps ?? 0, target: status?.targetBps ?? 0 });
    this.#history.splice(0, this.#history.length - HISTORY);
    this.#renderRates();
  }

  /** The layer at fault comes first: the sender's own trouble, then a picture that does not come through. */
  get #health() {
    const sender = this.#status?.health ?? 'ok';
    if (sender !== 'ok') return sender;
    if (this.decoding) return 'ok';
    return this.#decodedAt > 0 ? 'stalled' : 'waiting';
  }

  #renderHealth() {
    const health = this.#health;
    const { tone, text, curtain = '' } = HEALTH[health] ?? HEALTH.waiting;
    this.element.dataset.health = health;
    this.#parts.chip.dataset.tone = tone;
    this.#parts.chip.textContent = text;
    this.#parts.curtain.textContent = curtain;
    this.#parts.curtain.hidden = curtain === '';
  }

  #renderWeight() {
    const { slider, weight } = this.#parts;
    const value = Number(slider.value);
    weight.textContent = value === 0 ? 'paused' : `× ${value.toFixed(1)}`;
    slider.setAttribute('aria-valuetext', weight.textContent);
  }

  #renderRates() {
    const highest = Math.max(1, ...this.#history.map(({ received, target }) => Math.max(received, target)));
    const start = HISTORY - this.#history.length;
    const line = (key) =>
      this.#history.map((sample, index) => `${start + index},${19 - (sample[key] / highest) * 18}`).join(' ');
    this.#parts.received.setAttribute('points', line('received'));
    this.#parts.target.setAttribute('points', line('target'));
    const { received, target } = this.#history.at(-1);
    this.#parts.ratesTitle.textContent = `Last minute: received ${formatBps(received)} now, target ${formatBps(target)}`;
  }

  /** Lets the viewer choose among the encodings of a track that is at this place; there is nothing to choose where there are none. */
  offerLayers(index, rids, first) {
    this.#index = index;
    const { layer } = this.#parts;
    layer.parentElement.hidden = rids.length === 0;
    const shown = rids.includes(layer.value) ? layer.value : rids.includes(first) ? first : rids[0];
    renderChoice(
      layer,
      shown,
      rids.map((rid) => [rid, rid]),
    );
  }

  #choice(select, what, choose) {
    select.setAttribute('aria-label', `${what} of ${this.id}`);
    select.addEventListener('change', () => {
      this.#chosenAt = performance.now();
      choose(select.value);
    });
  }

  #renderChoices() {
    if (performance.now() - this.#chosenAt < HANDS_OFF_MS) return;
    const { codec, codecs, size, sizes } = this.#status;
    const named = ({ width, height }, between) => `${width}${between}${height}`;
    renderChoice(
      this.#parts.codec,
      codec,
      codecs.map((name) => [name, name.toUpperCase()]),
    );
    renderChoice(
      this.#parts.size,
      named(size, 'x'),
      sizes.map((each) => [named(each, 'x'), named(each, ' × ')]),
    );
  }

  #setControls(enabled) {
    this.#parts.slider.disabled = !enabled;
    for (const select of [this.#parts.codec, this.#parts.size]) select.disabled = !enabled || select.length < 2;
    for (const button of this.#parts.buttons) button.disabled = !enabled;
  }

  #show(name, text) {
    this.element.querySelector(`[data-value="${name}"]`).textContent = text;
  }
}

/** Shows what can be chosen and what is; `choices` are pairs of a value and its text. Options are kept, for a list that is open. */
function renderChoice(select, value, choices) {
  if ([...select.options].map((option) => option.value).join() !== choices.map(([name]) => name).join()) {
    select.replaceChildren(...choices.map(([name, text]) => new Option(text, name)));
  }
  select.value = value;
  select.disabled = choices.length < 2;
}
