// What is shown where there is no page: that there is none, and the way home.

import { h, replace } from "./base/dom.js";
import { frame } from "./base/frame.js";
import { empty } from "./base/state.js";

frame(async (node) => {
  replace(node, empty("There is no page at this address.", "The views are named at the top."),
    h("p", {}, h("a", { href: "/" }, "Go to the overview")));
});
