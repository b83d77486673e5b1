/**
 * One line drawn onto uPlot's canvas: broken at values that are not finite and where a stretch begins, with at most
 * four corners for each column of pixels, and dots where points are few or alone.
 *
 * uPlot strokes a line as one path; a browser that draws without a graphics card needs 0.9 s for 50 lines of 2,000
 * points so, 0.2 s in pieces of 60 corners, and 0.05 s where a line is one pixel wide: hence pieces and hairlines.
 */
import { firstFrom } from "./data.js";

const DOT = 2.2; // radius, CSS pixels
const PIECE = 60; // corners

/** Functions from values to pixels of the canvas; what lies far outside is held near, canvases draw it wrongly. */
export function placing(u, scaleKey) {
  const { left, top, width, height } = u.bbox;
  const x = u.scales.x;
  const y = u.scales[scaleKey];
  const perX = width / (x.max - x.min);
  const onScale = y.distr === 3 ? Math.log10 : (value) => value;
  const low = onScale(y.min);
  const perY = height / (onScale(y.max) - low);
  const bottom = top + height;
  const held = (px) => Math.min(Math.max(px, top - 9 * height), bottom + 9 * height);
  return {
    toX: (value) => left + (value - x.min) * perX,
    toY: (value) => held(bottom - (onScale(value) - low) * perY),
  };
}

/** The indices [from, to) that a view of [min, max] needs: one more on either side, for the line that leaves it. */
function needed(xs, isSorted, min, max) {
  if (!isSorted) return [0, xs.length];
  return [Math.max(0, firstFrom(xs, min) - 1), Math.min(xs.length, firstFrom(xs, max) + 2)];
}

/** Draws one stretch after another, a column of pixels at a time. */
class Pen {
  /** @param {boolean} isWhole  the line is one path: hairlines, and lines one can see through */
  constructor(ctx, dash, isWhole) {
    Object.assign(this, { ctx, isWhole, isDashed: dash.length > 0, dots: new Path2D(), count: 0, held: 0 });
    this.begin();
  }

  begin() {
    this.path = new Path2D();
    this.corners = 0;
  }

  add(x, y) {
    const column = Math.round(x);
    if (this.count && column === this.column) {
      this.held += 1;
      if (y < this.low) this.low = y;
      if (y > this.high) this.high = y;
    } else {
      this.flush();
      this.to(x, y);
      this.column = column;
      this.low = this.high = y;
    }
    this.x = x;
    this.y = y;
    this.count += 1;
  }

  /** The rest of a column: its ends, and on from its last point. */
  flush() {
    if (!this.held) return;
    this.held = 0;
    const y = this.y;
    this.to(this.column, this.low);
    this.to(this.column, this.high);
    this.to(this.column, y);
  }

  to(x, y) {
    if (!this.count) {
      this.path.moveTo(x, y);
      this.length = this.drawnLength = 0;
    } else {
      this.path.lineTo(x, y);
      if (this.isDashed) this.length += Math.hypot(x - this.atX, y - this.atY);
      this.corners += 1;
    }
    this.atX = x;
    this.atY = y;
    if (this.corners >= PIECE && !this.isWhole) this.stroke(true);
  }

  /** Strokes the piece; its dashes go on where those of the piece before ended. */
  stroke(isGoingOn) {
    if (this.corners) {
      if (this.isDashed) this.ctx.lineDashOffset = this.drawnLength;
      this.ctx.stroke(this.path);
    }
    this.begin();
    this.drawnLength = this.length;
    if (isGoingOn) this.path.moveTo(this.atX, this.atY);
  }

  dot(x, y, radius) {
    this.dots.moveTo(x + radius, y);
    this.dots.arc(x, y, radius, 0, 2 * Math.PI);
  }

  /** Ends a stretch; one that is a single point would not be seen without a dot. */
  end(radius) {
    this.flush();
    if (this.count === 1) this.dot(this.x, this.y, radius);
    if (this.isDashed && !this.isWhole) this.stroke(false);
    this.count = 0;
  }
}

function follow(pen, u, scale, [xs, ys, starts, isSorted]) {
  const { toX, toY } = placing(u, scale);
  const [from, to] = needed(xs, isSorted, u.scales.x.min, u.scales.x.max);
  const radius = DOT * devicePixelRatio;
  const isSparse = to - from < u.bbox.width / (18 * devicePixelRatio);
  for (let at = from; at < to; at += 1) {
    const value = ys[at];
    const isFinite = Number.isFinite(value);
    if (starts[at] || !isFinite) pen.end(radius);
    if (!isFinite) continue;
    pen.add(toX(xs[at]), toY(value));
    if (isSparse) pen.dot(pen.x, pen.y, radius);
  }
  pen.end(radius);
  pen.stroke(false);
}

/**
 * Draws a line.
 * @param {object} u  uPlot
 * @param {Array} data  `[xs, ys, starts, isSorted]`
 * @param {{scale: "y"|"y2", colour: string, alpha: number, width: number, dash: number[]}} look  width in device pixels
 */
export function drawLine(u, data, { scale, colour, alpha, width, dash }) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  const room = DOT * devicePixelRatio; // a dot at the edge is whole
  ctx.rect(bbox.left - room, bbox.top - room, bbox.width + 2 * room, bbox.height + 2 * room);
  ctx.clip();
  Object.assign(ctx, { strokeStyle: colour, fillStyle: colour, globalAlpha: alpha });
  Object.assign(ctx, { lineWidth: width, lineJoin: "bevel", lineCap: "butt" });
  ctx.setLineDash(dash);
  const pen = new Pen(ctx, dash, width <= 1 || alpha < 1);
  follow(pen, u, scale, data);
  ctx.fill(pen.dots);
  ctx.restore();
}
