// What the explorers share: elements, sliders, the state in the address, and vectors in space.

const PHASES = ["ignored", "polysemantic", "monosemantic"];

// An element with attributes, listeners ("onclick") and children; svg:… for drawings.
function make(name, attributes = {}, ...children) {
  const element = name.startsWith("svg:")
    ? document.createElementNS("http://www.w3.org/2000/svg", name.slice(4))
    : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value === true) element.setAttribute(key, "");
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const shown = (x, digits = 3) => {
  if (!Number.isFinite(x)) return "∞";
  if (x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5)) {
    const [mantissa, exponent] = x.toExponential(Math.max(0, digits - 2)).split("e");
    return `${Number(mantissa)}·10${superscript(Number(exponent))}`;
  }
  return String(Number(x.toPrecision(digits)));
};
const superscript = (n) => [...String(n)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");

// A slider and a number field for one value; `log` spreads the slider over decades.  `set` shows a
// value, `onChange` hears of a reader's.
function slider({ label, name, min, max, step, log = false, digits = 4, onChange, shows, hidden }) {
  const toRange = (x) => (log ? Math.log10(x) : x);
  const fromRange = (x) => (log ? Number((10 ** x).toPrecision(4)) : x);
  const say = (x) => (shows ? shows(x) : shown(x, digits));
  const range = make("input", {
    type: "range",
    "aria-label": label,
    min: toRange(min),
    max: toRange(max),
    step: log ? 0.01 : step,
    oninput: () => hear(fromRange(Number(range.value))),
  });
  const number = make("input", {
    type: "number",
    "aria-label": `${label}, as a number`,
    min,
    max,
    step: "any",
    inputmode: "decimal",
    onchange: () => {
      const x = Number(number.value);
      if (number.value.trim() === "" || !Number.isFinite(x)) return show(value);
      const whole = step === 1 ? Math.round(x) : x;
      return hear(Math.min(max, Math.max(min, whole)));
    },
  });
  let value = min;
  function hear(x) {
    show(x);
    onChange(x);
  }
  function show(x) {
    value = x;
    range.value = toRange(x);
    const span = range.max - range.min;
    range.style.setProperty("--at", span > 0 ? (range.value - range.min) / span : 0);
    range.setAttribute("aria-valuetext", say(x));
    if (document.activeElement !== number || Number(number.value) !== x) {
      number.value = Number(x.toPrecision(digits));
    }
  }
  return {
    element: make(
      "div",
      { class: "explorer-slider", "data-name": name },
      make("span", { class: hidden ? "explorer-unseen" : "explorer-label" }, label),
      range,
      number,
    ),
    range,
    number,
    set: show,
    limit: (low, high) => {
      [min, max] = [low, high];
      for (const field of [range, number]) {
        field.min = field === range ? toRange(low) : low;
        field.max = field === range ? toRange(high) : high;
      }
    },
  };
}

// A row of choices of which one holds; radio buttons underneath, so that arrow keys work.
function choice({ label, name, options, onChange }) {
  const inputs = options.map(({ value, text }) => {
    const input = make("input", { type: "radio", name, value, onchange: () => onChange(value) });
    return { value, input, element: make("label", {}, input, make("span", {}, text)) };
  });
  return {
    element: make(
      "fieldset",
      { class: "explorer-choice", "data-name": name },
      make("legend", {}, label),
      ...inputs.map(({ element }) => element),
    ),
    set: (value) => inputs.forEach(({ value: own, input }) => (input.checked = own === value)),
    enable: (values) => {
      inputs.forEach(({ value, input }) => (input.disabled = !values.includes(value)));
    },
  };
}

// The state of an explorer as the part of the address behind #, which can be copied and shared.
function address(id) {
  const mark = `#${id}?`;
  return {
    read: () => {
      if (!location.hash.startsWith(mark)) return null;
      return Object.fromEntries(new URLSearchParams(location.hash.slice(mark.length)));
    },
    write: (state) => {
      const text = Object.entries(state)
        .map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll("%2C", ",")}`)
        .join("&");
      // Where a page has no address of its own, as in a notebook's preview, nothing is lost.
      try {
        history.replaceState(history.state, "", mark + text);
      } catch {
        /* not allowed there */
      }
    },
  };
}

function copyLink(announce) {
  return make(
    "button",
    {
      type: "button",
      class: "explorer-button",
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(location.href);
          announce("The address of this setting is in the clipboard.");
        } catch {
          announce("The address of this page now holds this setting; copy it from there.");
        }
      },
    },
    "Copy link",
  );
}

const button = (text, onclick, more = {}) =>
  make("button", { type: "button", class: "explorer-button", onclick, ...more }, text);

// Find the element of an explorer, read its data, keep its state in the address, and start it.
// `start(root, data)` returns { read, write, draw }.
function explorer(kind, start) {
  for (const root of document.querySelectorAll(`.explorer[data-explorer="${kind}"]`)) {
    if (root.dataset.started) continue;
    root.dataset.started = "yes";
    const source = root.querySelector("script[type='application/json']");
    const body = make("div", { class: "explorer-body" });
    root.append(body);
    const link = address(root.id);
    const status = make("p", { class: "explorer-status", role: "status" });
    const parts = start(body, JSON.parse(source.textContent), {
      changed: (state) => link.write(state),
      announce: (text) => (status.textContent = text),
    });
    body.append(make("div", { class: "explorer-foot" }, copyLink((t) => (status.textContent = t)), status));
    const follow = () => {
      const state = link.read();
      if (!state) return;
      parts.read(state);
      root.scrollIntoView();
    };
    follow();
    window.addEventListener("hashchange", follow);
    let width = 0;
    new ResizeObserver(() => {
      if (body.clientWidth !== width) {
        width = body.clientWidth;
        parts.draw();
      }
    }).observe(body);
  }
}

const numbersIn = (text, count) => {
  const numbers = (text ?? "").split(",").map(Number);
  const good = numbers.every(Number.isFinite) && (count === undefined || numbers.length === count);
  return text && good ? numbers : null;
};

// One of the numbers if it is one and within the limits, else what stands for it.
const within = (text, low, high, otherwise) => {
  const x = text === undefined || text === "" ? NaN : Number(text);
  return Number.isFinite(x) ? Math.min(high, Math.max(low, x)) : otherwise;
};

// -------------------------------------------------------------------------- vectors in space

// Embedding vectors as arrows, seen from a direction that the reader turns by dragging or with the
// arrow keys.  One or two coordinates lie flat, three turn; of more the first three are shown.
function vectorView({ colors }) {
  let columns = [];
  let style = {};
  const view = { turn: 0.6, tilt: 0.45 };
  const canvas = make("canvas", {
    class: "explorer-space",
    tabindex: 0,
    role: "img",
    "aria-label": "Embedding vectors",
  });
  let grabbed = null;
  canvas.addEventListener("pointerdown", (event) => {
    grabbed = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!grabbed) return;
    view.turn += (event.clientX - grabbed[0]) * 0.01;
    view.tilt = Math.min(1.5, Math.max(-1.5, view.tilt + (event.clientY - grabbed[1]) * 0.01));
    grabbed = [event.clientX, event.clientY];
    draw();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => (grabbed = null));
  }
  canvas.addEventListener("keydown", (event) => {
    const [turn, tilt] =
      { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[
        event.key
      ] ?? [];
    if (turn === undefined) return;
    event.preventDefault();
    view.turn += turn;
    view.tilt = Math.min(1.5, Math.max(-1.5, view.tilt + tilt));
    draw();
  });

  function project(w) {
    const [x, y = 0, z] = w;
    if (z === undefined) return [x, y, 0];
    const [cos, sin] = [Math.cos(view.turn), Math.sin(view.turn)];
    const across = cos * x - sin * y;
    const depth = sin * x + cos * y;
    const [up, down] = [Math.cos(view.tilt), Math.sin(view.tilt)];
    return [across, up * z - down * depth, up * depth + down * z];
  }

  function draw() {
    const size = canvas.clientWidth;
    if (!size || !columns.length) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(size * ratio);
    const pen = canvas.getContext("2d");
    const ink = getComputedStyle(canvas).color;
    pen.scale(ratio, ratio);
    pen.translate(size / 2, size / 2);
    const longest = style.longest || Math.max(1e-9, ...columns.map((w) => Math.hypot(...w)));
    const scale = (0.4 * size) / longest;
    const reach = 1.08 * longest;
    const flat = columns[0].length < 3;

    pen.font = `600 ${Math.max(11, size / 26)}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const line = (from, to, width, color, dash = []) => {
      pen.beginPath();
      pen.setLineDash(dash);
      pen.moveTo(from[0] * scale, -from[1] * scale);
      pen.lineTo(to[0] * scale, -to[1] * scale);
      pen.lineWidth = width;
      pen.strokeStyle = color;
      pen.stroke();
      pen.setLineDash([]);
    };
    pen.globalAlpha = 0.35;
    for (let axis = 0; axis < Math.min(3, columns[0].length); axis++) {
      const end = columns[0].map((_, a) => (a === axis ? reach : 0));
      line(project(end.map((x) => -x)), project(end), 1, ink, [2, 4]);
    }
    pen.globalAlpha = 1;
    // Far ones first, so that near ones lie on top.
    const order = columns.map((w, i) => ({ i, tip: project(w) }));
    if (!flat) order.sort((a, b) => b.tip[2] - a.tip[2]);
    for (const { i, tip } of order) {
      const length = Math.hypot(...columns[i]);
      if (length < 0.03 * longest) continue; // it lies in the dimensions that are not shown
      const main = i === style.main;
      const near = flat ? 1 : 0.65 + 0.35 * (0.5 - tip[2] / (2 * longest));
      pen.globalAlpha = near;
      line([0, 0], tip, main ? 4 : 2.6, colors[i % colors.length]);
      const [x, y] = [tip[0] * scale, -tip[1] * scale];
      pen.beginPath();
      pen.arc(x, y, main ? 6 : 4.2, 0, 2 * Math.PI);
      pen.fillStyle = colors[i % colors.length];
      pen.fill();
      pen.globalAlpha = 1;
      const away = Math.hypot(x, y);
      const push = Math.max(13, size / 24);
      pen.fillStyle = ink;
      pen.fillText(
        String(i + 1),
        away > 4 ? x + (x / away) * push : x + push,
        away > 4 ? y + (y / away) * push : y,
      );
    }
  }

  return {
    element: canvas,
    draw,
    show: (W, { main, longest, label } = {}) => {
      columns = W.map((w) => w.slice(0, 3));
      style = { main, longest };
      canvas.setAttribute("aria-label", label ?? "Embedding vectors");
      canvas.classList.toggle("explorer-turns", columns.length > 0 && columns[0].length > 2);
      draw();
    },
  };
}

// One colored square for each pair of features; a table, so that it can be read aloud.
function pairTable(caption) {
  const table = make("table", { class: "explorer-pairs" });
  return {
    element: make("figure", { class: "explorer-figure" }, table, make("figcaption", {}, caption)),
    show: (values, blockOf) => {
      const head = make("tr", {}, make("td"), ...values.map((_, j) => make("th", { scope: "col" }, j + 1)));
      const rows = values.map((row, i) =>
        make(
          "tr",
          {},
          make("th", { scope: "row" }, i + 1),
          ...row.map((x, j) => {
            const [color, ink] = diverging(x);
            const same = blockOf[i] !== null && blockOf[i] === blockOf[j];
            const text = Math.abs(x) < 0.005 ? "0" : x.toFixed(2).replace("-", "−").replace("0.", ".");
            return make(
              "td",
              { style: `background:${color};color:${ink}`, class: same ? "explorer-same" : undefined },
              text,
            );
          }),
        ),
      );
      table.replaceChildren(make("tbody", {}, head, ...rows));
    },
  };
}

// From blue (−1) over white (0) to red (1), with an ink that reads on it.
function diverging(x) {
  const t = Math.min(1, Math.abs(x));
  const end = x < 0 ? [43, 108, 163] : [181, 67, 43];
  const mix = end.map((channel) => Math.round(255 + (channel - 255) * t));
  // Luminance as the guidelines for contrast define it; below 0.18 white reads better than black.
  const light = mix.map((channel) => ((channel / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
  return [`rgb(${mix.join(",")})`, luminance < 0.18 ? "#ffffff" : "#000000"];
}

const list = (features) => features.map((i) => i + 1).join(", ");

function describeBlocks(found, n) {
  const seen = new Set(found.flatMap((block) => block.features));
  const ignored = [...Array(n).keys()].filter((i) => !seen.has(i));
  const parts = found.map(({ features, dimension }) => {
    const dims = dimension === 1 ? "one dimension" : `${dimension} dimensions`;
    if (features.length === 1) return `feature ${list(features)} alone`;
    return `features ${list(features)} in ${dims}`;
  });
  if (ignored.length) parts.push(`feature${ignored.length > 1 ? "s" : ""} ${list(ignored)} ignored`);
  return `Blocks: ${parts.join("; ")}.`;
}
