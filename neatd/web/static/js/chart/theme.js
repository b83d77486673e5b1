/**
 * What the canvas takes from the theme's CSS variables; a canvas cannot use them itself.
 */

const FALLBACK = {
  "--bg": "#ffffff", "--panel": "#ffffff", "--line": "#d5d8dd", "--text": "#1b1f24", "--dim": "#59636e",
  "--accent": "#0b62c4", "--good": "#1a7f37", "--warn": "#9a6700", "--bad": "#b3261e", "--focus": "#0b62c4",
  "--c0": "#0072b2", "--c1": "#d55e00", "--c2": "#009e73", "--c3": "#cc79a7", "--c4": "#7a6a00",
  "--c5": "#56b4e9", "--c6": "#e69f00", "--c7": "#000000", "--c8": "#7b4ea3", "--c9": "#8c564b",
};
export const COLOURS = 10;

/** Dashes of lines, in CSS pixels: with the colour, a line's second sign. */
export const DASHES = [[], [7, 3], [2, 2.5], [9, 3, 2, 3], [14, 4], [5, 2, 5, 6]];

/** @returns {Record<string, string>} the variables' values as they are now, and the plain names of some */
export function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const theme = {};
  for (const [name, value] of Object.entries(FALLBACK)) theme[name] = style.getPropertyValue(name).trim() || value;
  return Object.assign(theme, { bad: theme["--bad"], line: theme["--line"], dim: theme["--dim"] });
}

/** @param {number|number[]|undefined} dash  a number of `DASHES`, or lengths */
export const dashOf = (dash) => (Array.isArray(dash) ? dash : DASHES[(dash ?? 0) % DASHES.length]);

export const colourName = (index) => `--c${(((index ?? 0) % COLOURS) + COLOURS) % COLOURS}`;
