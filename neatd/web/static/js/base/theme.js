// Light, dark, or as the system is. Charts are told by the event `neat-theme`.

import { h } from "./dom.js";

const KEPT = "neat-theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const SIGNS = { auto: "◐", light: "☀", dark: "☾" };

const chosen = () => localStorage.getItem(KEPT) ?? "auto";

function put(theme) {
  if (theme === "auto") {
    localStorage.removeItem(KEPT);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(KEPT, theme);
    document.documentElement.dataset.theme = theme;
  }
  window.dispatchEvent(new CustomEvent("neat-theme"));
}

/** The button that goes through the themes. */
export function themeButton() {
  const button = h("button", { type: "button", class: "plain", id: "theme" });
  const show = () => {
    const theme = chosen();
    button.textContent = SIGNS[theme];
    button.setAttribute("aria-label", `Theme: ${theme}. Change to ${NEXT[theme]}`);
    button.title = `theme: ${theme}`;
  };
  button.addEventListener("click", () => {
    put(NEXT[chosen()]);
    show();
  });
  show();
  return button;
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => window.dispatchEvent(new CustomEvent("neat-theme")));
