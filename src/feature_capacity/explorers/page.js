// An explorer in a page without a kernel: a model of plain values stands in for the Python object,
// and the address of the page holds what differs from the beginning.
import { button, make } from "./ui.js";

// What an explorer asks of a model: get, set, save_changes, on and off.
export function plainModel(values) {
  const heard = new Map();
  const tell = (event) => [...(heard.get(event) ?? [])].forEach((listener) => listener());
  return {
    get: (name) => values[name],
    set: (name, value) => {
      if (values[name] === value) return;
      values[name] = value;
      tell(`change:${name}`);
    },
    save_changes: () => tell("saved"),
    on: (event, listener) => heard.set(event, [...(heard.get(event) ?? []), listener]),
    off: (event, listener) => {
      heard.set(event, (heard.get(event) ?? []).filter((other) => other !== listener));
    },
  };
}

export function mount({ render, address }) {
  // The script stands in its explorer; module scripts do not know where they stand.
  for (const root of document.querySelectorAll(".explorer[data-explorer]")) {
    if (root.dataset.explorer !== address.kind || root.dataset.started) continue;
    root.dataset.started = "yes";
    const values = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    const model = plainModel(values);
    const el = make("div");
    root.append(el);
    render({ model, el });
    if (!address.write) continue; // what a reader brings along is in no address
    model.on("saved", () => write(root.id, address.write(model)));
    const announce = addCopyLink(el.querySelector(".explorer-foot"));
    const follow = () => {
      const given = read(root.id);
      if (!given) return;
      const change = address.read(given, model, announce);
      for (const [name, value] of Object.entries(change)) model.set(name, value);
      root.scrollIntoView();
    };
    follow();
    window.addEventListener("hashchange", follow);
  }
}

function read(id) {
  const mark = `#${id}?`;
  if (!location.hash.startsWith(mark)) return null;
  return Object.fromEntries(new URLSearchParams(location.hash.slice(mark.length)));
}

function write(id, state) {
  const text = Object.entries(state)
    .map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll("%2C", ",")}`)
    .join("&");
  // Where a page has no address of its own, as in a notebook's preview, nothing is lost.
  try {
    history.replaceState(history.state, "", `#${id}?${text}`);
  } catch {
    /* not allowed there */
  }
}

// Returns a function that says something in the line beside the button.
function addCopyLink(foot) {
  const status = foot.querySelector(".explorer-status");
  const announce = (text) => (status.textContent = text);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(location.href);
      announce("The address of this setting is in the clipboard.");
    } catch {
      announce("The address of this page now holds this setting; copy it from there.");
    }
  };
  foot.prepend(button("Copy link", copy));
  return announce;
}
