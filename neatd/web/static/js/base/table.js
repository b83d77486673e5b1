// A table that sorts: real rows and headings, the order said to who cannot see it, narrow screens scroll it sideways.

import { h, fresh } from "./dom.js";

/**
 * `columns`: [{key, title, cell: (row) => node or text, sort: (row) => value, align: "right", isHeading}].
 * `rows`: any objects. `sorted`: {key, isDown}. `caption` names the table. `onSort({key, isDown})` is told.
 */
export function table({ columns, rows, caption, sorted = null, onSort = null, rowClass = null }) {
  const body = h("tbody");
  let order = sorted;
  const heads = new Map();
  const fill = () => {
    const column = columns.find((one) => one.key === order?.key);
    body.replaceChildren(...inOrder(rows, column, order?.isDown).map((row) => line(columns, row, rowClass)));
    for (const [key, head] of heads) {
      head.setAttribute("aria-sort", key === order?.key ? (order.isDown ? "descending" : "ascending") : "none");
    }
  };
  const head = columns.map((column) => {
    const cell = h("th", { scope: "col", class: column.align ?? "" }, column.sort ? sorter(column) : column.title);
    if (column.sort) heads.set(column.key, cell);
    return cell;
  });
  function sorter(column) {
    const turn = () => {
      order = { key: column.key, isDown: order?.key === column.key ? !order.isDown : false };
      onSort?.(order);
      fill();
    };
    return h("button", { type: "button", class: "sort", on: { click: turn } }, column.title);
  }
  fill();
  const id = fresh("table");
  return h(
    "div", { class: "scrolls", tabindex: "0", role: "region", "aria-labelledby": id },
    h("table", {}, h("caption", { id, class: "hidden" }, caption), h("thead", {}, h("tr", {}, head)), body),
  );
}

function line(columns, row, rowClass) {
  return h("tr", { class: rowClass?.(row) }, columns.map((column) =>
    h(column.isHeading ? "th" : "td", { scope: column.isHeading && "row", class: column.align ?? "" }, column.cell(row))));
}

/** Rows by what a column sorts by; what has no value comes last either way. */
export function inOrder(rows, column, isDown = false) {
  if (!column?.sort) return rows;
  const keyed = rows.map((row, at) => [column.sort(row), at, row]);
  const isNone = (value) => value === null || value === undefined || Number.isNaN(value);
  keyed.sort(([a, i], [b, j]) => {
    if (isNone(a) || isNone(b)) return isNone(a) - isNone(b) || i - j;
    const found = typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b;
    return (isDown ? -found : found) || i - j;
  });
  return keyed.map(([, , row]) => row);
}
