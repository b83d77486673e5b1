// Elements made of data. Text becomes text nodes and nothing else: nothing that a run, a record or a file says is ever markup.

/** The first element that fits a selector. */
export const $ = (selector, within = document) => within.querySelector(selector);

/**
 * An element: `h("button", {class: "plain", on: {click: f}}, "Stop")`.
 * Props: attributes by name (false, null and undefined are left out, true is an empty one), `class`, `dataset`, `style` (an
 * object), `on` (listeners by event), `value` and `checked` as properties. Children: nodes, text, numbers, lists, nothing.
 */
export function h(tag, props = {}, ...children) {
  return filled(document.createElement(tag), props, children);
}

/** The same of SVG. */
export function svg(tag, props = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

function filled(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) set(node, name, value);
  node.append(...flat(children));
  return node;
}

function set(node, name, value) {
  if (value === false || value === null || value === undefined) return;
  if (name === "on") for (const [event, listener] of Object.entries(value)) node.addEventListener(event, listener);
  else if (name === "dataset") Object.assign(node.dataset, value);
  else if (name === "style") for (const [rule, one] of Object.entries(value)) node.style.setProperty(rule, one);
  else if (name === "value" || name === "checked") node[name] = value;
  else node.setAttribute(name, value === true ? "" : String(value));
}

function flat(children) {
  return children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false && one !== "")
    .map((one) => (one instanceof Node ? one : document.createTextNode(String(one))));
}

/** Put these children in place of what is there. What has the focus keeps it, where it is still there under its id. */
export function replace(node, ...children) {
  const focused = node.contains(document.activeElement) ? document.activeElement.id : "";
  node.replaceChildren(...flat(children));
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  return node;
}

/** Text of a node, written only when it differs: a live region speaks only of what is new. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

let last = 0;

/** An id that no other element of this page has. */
export const fresh = (word = "n") => `${word}-${(last += 1)}`;
