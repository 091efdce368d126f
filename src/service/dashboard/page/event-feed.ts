import type { ServiceEvent } from '../../../client.js';
import { need, setData } from './dom.js';
import { eventLine } from './event-lines.js';

/** Lines that are kept. */
const MAX_LINES = 200;

/** What happened, the newest first. */
export class EventFeed {
  readonly #list = need(document, '#events', HTMLOListElement);
  readonly #quiet = need(document, '#quiet', HTMLElement);

  add(event: ServiceEvent): void {
    const line = eventLine(event);
    if (line === undefined) return;
    const item = document.createElement('li');
    setData(item, 'tone', line.tone);
    const time = document.createElement('time');
    time.dateTime = event.time;
    time.textContent = new Date(event.time).toLocaleTimeString('en-GB');
    const subject = document.createElement('b');
    subject.textContent = line.subject;
    const text = document.createElement('span');
    text.textContent = line.text;
    item.append(time, subject, text);
    this.#list.prepend(item);
    this.#quiet.hidden = true;
    while (this.#list.children.length > MAX_LINES) this.#list.lastElementChild?.remove();
  }
}
