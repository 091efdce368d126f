import { need, setData, setText } from './dom.js';
import type { EncodingRow } from './encoding-rows.js';

/** Figures of a row, in the order of the columns behind its name. */
const COLUMNS = ['size', 'state', 'granted', 'encoded', 'why'] as const;

/** The encodings of a camera, a row each; not there for a camera that is sent in one. */
export class EncodingTable {
  readonly #table: HTMLTableElement;
  readonly #body: HTMLTableSectionElement;

  constructor(root: ParentNode, trackId: string) {
    this.#table = need(root, 'table.encodings', HTMLTableElement);
    this.#body = need(this.#table, 'tbody', HTMLTableSectionElement);
    setText(need(this.#table, 'caption', HTMLElement), `Encodings of ${trackId}`);
  }

  show(rows: readonly EncodingRow[]): void {
    this.#table.hidden = rows.length === 0;
    while (this.#body.rows.length > rows.length) this.#body.deleteRow(-1);
    for (const [index, row] of rows.entries()) {
      const element = this.#body.rows[index] ?? this.#addRow();
      setData(element, 'rid', row.rid);
      setData(element, 'active', String(row.isActive));
      const [name, ...figures] = element.cells;
      if (name !== undefined) setText(name, row.rid);
      for (const [column, cell] of figures.entries()) setText(cell, row[COLUMNS[column] ?? 'why']);
    }
  }

  #addRow(): HTMLTableRowElement {
    const row = this.#body.insertRow();
    const name = document.createElement('th');
    name.scope = 'row';
    row.append(name);
    for (const _ of COLUMNS) row.insertCell();
    return row;
  }
}
