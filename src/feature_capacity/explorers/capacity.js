// Capacity explorer: who gets how much of the dimensions, and why.
import { frame, keep } from "./frame.js";
import { marginalBenefit, solveAllocation, sum } from "./theory.js";
import { PHASES, button, make, numbersIn, redraw, shown, slider, superscript, within } from "./ui.js";

function render({ model, el }) {
  const { root, announce } = frame(el);
  const { colors, phases, presets, limits } = model.get("data");
  const names = ["importance", "n_dims", "kurtosis"];
  const kept = keep({ model, root, names, draw, pictures: drawCurves });
  let state = kept.get();
  let solved = null;

  // ---------------------------------------------------------------------------- the controls
  const kurtosis = slider({
    label: "kurtosis k of the inputs",
    name: "kurtosis",
    min: limits.kurtosis[0],
    max: limits.kurtosis[1],
    log: true,
    digits: 6,
    onChange: (x) => update({ kurtosis: x }),
  });
  const probability = slider({
    label: "the same as probability p of a sparse uniform feature, k = 9/(5p)",
    name: "probability",
    min: Number((1.8 / limits.kurtosis[1]).toPrecision(6)),
    max: 1,
    log: true,
    digits: 6,
    onChange: (p) => update({ kurtosis: 1.8 / p }),
  });
  const nDims = slider({
    label: "dimensions D",
    name: "n_dims",
    min: 1,
    max: limits.features,
    step: 1,
    onChange: (D) => update({ n_dims: D }),
  });
  const presetBar = make(
    "div",
    { class: "explorer-bar" },
    make("span", { class: "explorer-label" }, "Begin with"),
    ...presets.map((preset) => button(preset.name, () => update(preset.state))),
  );

  // ---------------------------------------------------------------------------- the pictures
  const curves = make("svg:svg", { role: "img", class: "explorer-curves" });
  const stack = make("div", { class: "explorer-stack", role: "img" });
  const stackCaption = make("p", { class: "explorer-note" });
  const summary = make("p", { class: "explorer-summary", "aria-live": "polite" });
  const table = make("ol", { class: "explorer-list" });
  const more = button("Add a feature", () => {
    update({ importance: [...state.importance, state.importance.at(-1)] });
    announce(`There are ${state.importance.length} features now.`);
  });
  let rows = [];

  root.append(
    presetBar,
    make("div", { class: "explorer-columns" }, kurtosis.element, probability.element, nDims.element),
    summary,
    stack,
    stackCaption,
    make(
      "figure",
      { class: "explorer-figure" },
      curves,
      make(
        "figcaption",
        {},
        "Marginal loss reduction of every feature against its capacity. Dashed: the common threshold 2λ². Circles: the optimum.",
      ),
    ),
    make("p", { class: "explorer-note" }, "Features: drag the bars or type an importance v; beside it the capacity C."),
    table,
    make("div", { class: "explorer-bar" }, more),
  );

  function addRow(i) {
    const importance = slider({
      label: `importance of feature ${i + 1}`,
      name: `importance-${i + 1}`,
      min: limits.importance[0],
      max: limits.importance[1],
      log: true,
      digits: 6,
      hidden: true,
      onChange: (x) => update({ importance: state.importance.map((v, j) => (j === i ? x : v)) }),
    });
    const color = colors[i % colors.length];
    importance.element.style.setProperty("--feature", color);
    const bar = make("span", { class: "explorer-meter" });
    bar.style.setProperty("--feature", color);
    const number = make("span", { class: "explorer-number" });
    const phase = make("span", { class: "explorer-phase" });
    const remove = button(
      "×",
      () => {
        update({ importance: state.importance.filter((_, j) => j !== i) });
        announce(`Feature ${i + 1} is removed; ${state.importance.length} are left.`);
      },
      { "aria-label": `Remove feature ${i + 1}` },
    );
    const swatch = make("span", { class: "explorer-swatch" });
    swatch.style.background = color;
    const name = make("span", { class: "explorer-name" }, swatch, String(i + 1));
    const row = make("li", {}, name, importance.element, bar, number, phase, remove);
    table.append(row);
    rows.push({ row, importance, bar, number, phase, remove });
  }

  // ------------------------------------------------------------------------------- drawing
  function draw() {
    state = kept.get();
    const { importance, kurtosis: k } = state;
    const n = importance.length;
    const D = Math.min(state.n_dims, n);
    while (rows.length < n) addRow(rows.length);
    while (rows.length > n) rows.pop().row.remove();
    kurtosis.set(k);
    probability.set(Math.min(1, Math.max(1.8 / limits.kurtosis[1], 1.8 / k)));
    nDims.limit(1, n);
    nDims.set(D);
    more.disabled = n >= limits.features;
    solved = solveAllocation(importance, D, k);
    rows.forEach(({ row, importance: field, bar, number, phase, remove }, i) => {
      field.set(importance[i]);
      bar.style.setProperty("--part", solved.capacity[i]);
      number.textContent = solved.capacity[i].toFixed(3);
      row.dataset.capacity = solved.capacity[i];
      row.dataset.sqNorm = solved.sqNorm[i];
      phase.textContent = PHASES[solved.phase[i]];
      remove.disabled = n <= 2;
    });
    root.dataset.multiplier = solved.multiplier;
    root.dataset.loss = solved.loss;
    const count = PHASES.map((_, code) => solved.phase.filter((r) => r === code).length);
    const nothing = sum(importance.map((v) => (k - 1) * v * v));
    const left = nothing > 0 ? `${shown((100 * solved.loss) / nothing, 3)} %` : "nothing";
    summary.textContent =
      `${count[2]} monosemantic, ${count[1]} polysemantic, ${count[0]} ignored. ` +
      `λ = ${shown(solved.multiplier, 5)}; ${left} of the loss of an empty embedding is left.`;
    drawStack(D);
    drawCurves();
  }

  // Features in the order of importance fill the dimensions one after the other.
  function drawStack(D) {
    const order = state.importance.map((_, i) => i);
    order.sort((i, j) => state.importance[j] - state.importance[i] || i - j);
    const pieces = order.filter((i) => solved.capacity[i] > 0).map((i) => {
      const wide = solved.capacity[i] / D > 0.045;
      const piece = make("span", { title: `feature ${i + 1}: ${shown(solved.capacity[i], 4)}` }, wide ? String(i + 1) : "");
      piece.style.flexGrow = solved.capacity[i];
      piece.style.background = colors[i % colors.length];
      return piece;
    });
    const ticks = Array.from({ length: D - 1 }, (_, d) => {
      const tick = make("i");
      tick.style.left = `${(100 * (d + 1)) / D}%`;
      return tick;
    });
    stack.replaceChildren(...pieces, ...ticks);
    const total = sum(solved.capacity);
    stack.setAttribute(
      "aria-label",
      `Capacities, most important feature first: ${order.map((i) => `feature ${i + 1} ${shown(solved.capacity[i])}`).join(", ")}`,
    );
    stackCaption.textContent = `Capacities side by side, the most important first: together ${shown(total, 6)} of ${D} dimension${D > 1 ? "s" : ""}.`;
  }

  function drawCurves() {
    const width = Math.max(280, root.clientWidth);
    const height = Math.min(340, Math.max(230, 0.5 * width));
    const box = { left: 62, right: 14, top: 10, bottom: 40 };
    const { importance, kurtosis: k } = state;
    const ends = importance.filter((v) => v > 0).flatMap((v) => [0, 1].map((c) => marginalBenefit(c, v, k)));
    const range = [...ends, solved.threshold].filter((g) => g > 0);
    const low = Math.floor(Math.log10(Math.min(...range, 1)) - 0.1);
    const high = Math.ceil(Math.log10(Math.max(...range, 0.1)) + 0.1);
    const x = (c) => box.left + c * (width - box.left - box.right);
    const y = (g) => {
      const part = (Math.log10(g) - low) / (high - low);
      return height - box.bottom - part * (height - box.top - box.bottom);
    };
    const parts = [];
    const line = (x1, y1, x2, y2, more) => parts.push(make("svg:line", { x1, y1, x2, y2, ...more }));
    const text = (words, px, py, more) => parts.push(make("svg:text", { x: px, y: py, ...more }, words));
    const every = Math.ceil((high - low) / 6);
    for (let decade = low; decade <= high; decade += every) {
      line(x(0), y(10 ** decade), x(1), y(10 ** decade), { class: "explorer-grid" });
      text(`10${superscript(decade)}`, box.left - 8, y(10 ** decade), { "text-anchor": "end", "dominant-baseline": "middle" });
    }
    for (const c of [0, 0.25, 0.5, 0.75, 1]) {
      line(x(c), y(10 ** low), x(c), y(10 ** high), { class: "explorer-grid" });
      text(String(c), x(c), height - box.bottom + 17, { "text-anchor": "middle" });
    }
    text("capacity C", x(0.5), height - 5, { "text-anchor": "middle" });
    const turned = `rotate(-90 14 ${y(10 ** ((low + high) / 2))})`;
    text("−∂L/∂C", 14, y(10 ** ((low + high) / 2)), { "text-anchor": "middle", transform: turned });
    if (solved.threshold > 0) {
      line(x(0), y(solved.threshold), x(1), y(solved.threshold), { class: "explorer-threshold" });
    }
    importance.forEach((v, i) => {
      if (!(v > 0)) return;
      const points = Array.from({ length: 65 }, (_, s) => {
        const c = s / 64;
        return `${x(c).toFixed(1)},${y(marginalBenefit(c, v, k)).toFixed(1)}`;
      });
      parts.push(make("svg:polyline", { points: points.join(" "), stroke: colors[i % colors.length], class: "explorer-line" }));
    });
    importance.forEach((v, i) => {
      if (!(v > 0)) return;
      const c = solved.capacity[i];
      const dot = make("svg:circle", {
        cx: x(c),
        cy: y(marginalBenefit(c, v, k)),
        r: 5.5,
        fill: phases[solved.phase[i]],
        stroke: colors[i % colors.length],
        "stroke-width": 2.5,
      });
      dot.append(make("svg:title", {}, `feature ${i + 1}: v = ${shown(v)}, C = ${shown(c, 4)}`));
      parts.push(dot);
    });
    curves.setAttribute(
      "aria-label",
      `Marginal loss reduction curves of ${importance.length} features at kurtosis ${shown(k, 4)}; threshold ${shown(solved.threshold, 4)}.`,
    );
    redraw(curves, width, height, parts);
  }

  // ------------------------------------------------------------------------------- the state
  function update(change) {
    const next = { ...state, ...change };
    kept.set({ ...next, n_dims: Math.min(next.n_dims, next.importance.length) });
  }

  draw();
  return kept.end;
}

// The setting in the address of a page.
const address = {
  kind: "capacity",
  write: (model) => ({
    k: model.get("kurtosis"),
    D: model.get("n_dims"),
    v: model.get("importance").join(","),
  }),
  read: ({ k, D, v }, model) => {
    const { limits } = model.get("data");
    const given = (numbersIn(v) ?? [])
      .slice(0, limits.features)
      .map((x) => Math.min(limits.importance[1], Math.max(0, x)));
    const importance = given.length < 2 ? model.get("importance") : given;
    const n_dims = Math.round(within(D, 1, importance.length, model.get("n_dims")));
    return {
      importance,
      n_dims: Math.min(n_dims, importance.length),
      kurtosis: within(k, ...limits.kurtosis, model.get("kurtosis")),
    };
  },
};

const explorer = { render, address };
export default explorer;
