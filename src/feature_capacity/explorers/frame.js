// Where an explorer lives, and its state, which is kept in its model: that of a page, or a Python
// object in a notebook.
import { make } from "./ui.js";

// A body for the explorer, and below it a line for what has happened, which is also read aloud.
export function frame(el) {
  if (!el.closest(".explorer")) el.classList.add("explorer");
  const root = make("div", { class: "explorer-body" });
  const status = make("p", { class: "explorer-status", role: "status" });
  el.append(root, make("div", { class: "explorer-foot" }, status));
  return { root, announce: (text) => (status.textContent = text) };
}

// The values that a reader or Python can change.  `draw` follows every change; `pictures` draws
// again what depends on the width.
export function keep({ model, root, names, draw, pictures }) {
  let own = false;
  let width = root.clientWidth;
  const hear = () => {
    if (!own) draw();
  };
  for (const name of names) model.on(`change:${name}`, hear);
  const observer = new ResizeObserver(() => {
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    pictures();
  });
  observer.observe(root);
  const put = (change) => {
    own = true;
    for (const [name, value] of Object.entries(change)) model.set(name, value);
    own = false;
    draw();
  };
  return {
    get: () => Object.fromEntries(names.map((name) => [name, model.get(name)])),
    // For what moves on by itself: it is drawn, and told when it has come to rest.
    put,
    set: (change) => {
      put(change);
      model.save_changes();
    },
    tell: () => model.save_changes(),
    end: () => {
      for (const name of names) model.off(`change:${name}`, hear);
      observer.disconnect();
    },
  };
}

// Names of groups of radio buttons, one for each explorer that is drawn.
let groups = 0;
export const group = () => `explorer-${(groups += 1)}-${Math.random().toString(36).slice(2, 8)}`;

export const motionIsUnwelcome = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
