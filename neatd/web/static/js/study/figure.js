/**
 * A figure that Plotly draws: loaded when the first one comes into view, in the theme's colours, with its data as a table.
 */

import { fresh, h, replace } from "../base/dom.js";
import { readTheme } from "../chart/theme.js";
import { empty, failed, loading } from "../base/state.js";

const NEAR = "400px";
let library = null;

function plotly() {
  library ??= new Promise((resolve, reject) => {
    const script = h("script", { src: "/vendor/plotly.js", on: { load: () => resolve(window.Plotly), error: () => reject(new Error("the figures' library did not load")) } });
    document.head.append(script);
  });
  return library;
}

/** What all figures have in common. */
function layoutOf(layout, theme) {
  const axis = { gridcolor: theme["--line"], linecolor: theme["--line"], zerolinecolor: theme["--line"], automargin: true, exponentformat: "e" };
  const axes = Object.keys(layout).filter((name) => /^[xy]axis/.test(name));
  const base = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", height: 300, margin: { l: 56, r: 12, t: 8, b: 40 },
    font: { color: theme["--dim"], family: getComputedStyle(document.body).fontFamily, size: 12 },
    hoverlabel: { bgcolor: theme["--panel"], bordercolor: theme["--line"], font: { color: theme["--text"] } },
    legend: { orientation: "h", x: 0, y: 1.02, yanchor: "bottom" }, dragmode: "zoom", hovermode: "closest",
  };
  return { ...base, ...layout, ...Object.fromEntries([...new Set(["xaxis", "yaxis", ...axes])].map((name) => [name, { ...axis, ...layout[name] }])) };
}

export class Figure {
  /**
   * @param {{title: string, lead?: string, level?: number, draw: (theme: object) => {data: object[], layout: object, words: string},
   *   rows: () => Node, tools?: Node[], open?: (point: object) => void}} options
   *   `words` say what is seen; `rows` are the numbers as a table; `open` is called with a point that was clicked
   */
  constructor({ title, lead = "", level = 2, draw, rows, tools = [], open = null }) {
    Object.assign(this, { draw, rows, open, isNear: false, isDrawn: false });
    const id = fresh("figure");
    this.plot = h("div", { class: "figure-plot", role: "img", "aria-label": `${title}, not yet drawn` }, loading());
    this.numbers = h("details", { class: "figure-rows", on: { toggle: () => this.fill() } }, h("summary", {}, h("span", { class: "hidden" }, `${title}: `), "The numbers"));
    this.node = h("section", { class: "panel figure", "aria-labelledby": id },
      h("header", {}, h(`h${level}`, { id }, title), h("div", { class: "row" }, tools)), lead && h("p", { class: "dim" }, lead), this.plot, this.numbers);
    this.seeing = new IntersectionObserver(([seen]) => this.see(seen.isIntersecting), { rootMargin: NEAR });
    this.seeing.observe(this.plot);
    this.ending = new AbortController();
    window.addEventListener("neat-theme", () => this.update(), { signal: this.ending.signal });
  }

  see(isNear) {
    this.isNear = isNear;
    if (isNear && !this.isCurrent) this.paint();
  }

  /** The data, or the colours, are others. */
  update() {
    this.isCurrent = false;
    if (this.isNear) this.paint();
    if (this.numbers.open) this.fill(true);
  }

  fill(isNew = false) {
    if (!this.numbers.open || (this.isFilled && !isNew)) return;
    this.isFilled = true;
    replace(this.numbers, this.numbers.firstElementChild, this.rows());
  }

  async paint() {
    this.isCurrent = true;
    try {
      const library = await plotly();
      const theme = readTheme();
      const { data, layout, words } = this.draw(theme);
      if (!this.isDrawn && !data.some(({ x }) => x.length)) {
        this.plot.setAttribute("aria-label", "No trial yet");
        replace(this.plot, empty("No trial yet.", "The first ones begin when the queue has room for them."));
        return;
      }
      if (!this.isDrawn) replace(this.plot);
      this.plot.setAttribute("aria-label", words);
      const config = { displaylogo: false, responsive: true, displayModeBar: false };
      await library.react(this.plot, data, layoutOf(layout, theme), config);
      if (!this.isDrawn && this.open) this.plot.on("plotly_click", ({ points }) => this.open(points[0]));
      this.isDrawn = true;
      this.plot.dataset.drawn = String(data.length);
    } catch (error) {
      replace(this.plot, failed(error));
    }
  }

  end() {
    this.seeing.disconnect();
    this.ending.abort();
    if (this.isDrawn) window.Plotly.purge(this.plot);
  }
}
