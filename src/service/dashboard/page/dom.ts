/** An element that the page has for certain. @throws Error if it has not: the page and its script do not fit */
export function need<Type extends Element>(root: ParentNode, selector: string, type: new () => Type): Type {
  const found = root.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(`the page has no ${selector}`);
}

/** Sets a text where it changes: a screen reader may speak, and the browser may lay out, whatever is set. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Sets a data attribute where it changes. */
export function setData(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value;
}

/** Sets an attribute where it changes. */
export function setAttribute(element: Element, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** A copy of a template's one element. */
export function cloned(id: string): HTMLElement {
  const copy = need(document, `#${id}`, HTMLTemplateElement).content.cloneNode(true) as DocumentFragment;
  return need(copy, '*', HTMLElement);
}
