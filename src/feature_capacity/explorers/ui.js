// Elements, sliders and choices that all explorers share.

export const PHASES = ["ignored", "polysemantic", "monosemantic"];

// An element with attributes, listeners ("onclick") and children; svg:… for drawings.
export function make(name, attributes = {}, ...children) {
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

// Gives a drawing its size, and other parts instead of those that it has.
export function redraw(drawing, width, height, parts) {
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) {
    drawing.setAttribute(name, value);
  }
  drawing.replaceChildren(...parts);
}

export const shown = (x, digits = 3) => {
  if (!Number.isFinite(x)) return "∞";
  if (x !== 0 && (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5)) {
    const [mantissa, exponent] = x.toExponential(Math.max(0, digits - 2)).split("e");
    return `${Number(mantissa)}·10${superscript(Number(exponent))}`;
  }
  return String(Number(x.toPrecision(digits)));
};
export const superscript = (n) => [...String(n)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("");

// A slider and a number field for one value; `log` spreads the slider over decades.  `set` shows a
// value, `onChange` hears of a reader's.
export function slider({ label, name, min, max, step, log = false, digits = 4, onChange, shows, hidden }) {
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
export function choice({ label, name, options, onChange }) {
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

export const button = (text, onclick, more = {}) =>
  make("button", { type: "button", class: "explorer-button", onclick, ...more }, text);

export const numbersIn = (text, count) => {
  const numbers = (text ?? "").split(",").map(Number);
  const good = numbers.every(Number.isFinite) && (count === undefined || numbers.length === count);
  return text && good ? numbers : null;
};

// One of the numbers if it is one and within the limits, else what stands for it.
export const within = (text, low, high, otherwise) => {
  const x = text === undefined || text === "" ? NaN : Number(text);
  return Number.isFinite(x) ? Math.min(high, Math.max(low, x)) : otherwise;
};
