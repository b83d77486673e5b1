// Before anything is drawn: the theme that was chosen, so that the page does not flash in the other one.
(() => {
  const chosen = localStorage.getItem("neat-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
