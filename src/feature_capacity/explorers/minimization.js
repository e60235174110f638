// Minimization explorer: press play, and a network finds its embedding before your eyes.
import { capacityBars } from "./bars.js";
import { frame, group, keep, motionIsUnwelcome } from "./frame.js";
import { heatMap, nearest } from "./heatmap.js";
import { lossPlot } from "./lossplot.js";
import { blocksOf, coloredTable, describeBlocks } from "./pairs.js";
import {
  advance,
  foundBy,
  importances,
  isExact,
  leastLoss,
  nextStop,
  problemAt,
  startedAt,
} from "./race.js";
import { blocks, capacities, dot, solveAllocation } from "./theory.js";
import { button, choice, make, shown, slider, within } from "./ui.js";
import { vectorView } from "./vectors.js";

const SETTING = ["model", "activation", "importance", "probability", "ratio", "seed", "start"];
const LINES = [
  { color: "var(--second)", dash: undefined },
  { color: "var(--first)", dash: "7 4" },
];
const decoded = (text, Kind) =>
  Array.from(new Kind(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer));

function render({ model, el }) {
  const { root, announce } = frame(el);
  const data = model.get("data");
  const { n_features: n, n_dims: d, models, activations, limits, colors } = data;
  const rules = Object.fromEntries(
    Object.entries(data.rules).map(([kind, list]) => [
      kind,
      list.map(({ values, weights }) => ({
        values: decoded(values, Float64Array),
        weights: decoded(weights, Float64Array),
      })),
    ]),
  );
  const kept = keep({ model, root, names: SETTING, draw: setUp, pictures: () => (map.draw(), pictures()) });
  let state = kept.get();
  let problem = null;
  let racers = [];
  let stop = 0;
  let timer = null;
  let setting = ""; // to which the ends of earlier starts belong
  let ends = [];

  // ------------------------------------------------------------------------------- the controls
  const groups = group();
  const choices = {
    model: choice({
      label: "model",
      name: `${groups}-model`,
      options: models.map((value) => ({ value, text: value })),
      onChange: (value) => change({ model: value }),
    }),
    activation: choice({
      label: "nonlinearity",
      name: `${groups}-activation`,
      options: activations,
      onChange: (value) => change({ activation: value }),
    }),
  };
  const sliders = {
    importance: slider({
      label: "importance V of feature 1",
      name: "importance",
      min: limits.importance[0],
      max: limits.importance[1],
      log: true,
      onChange: (x) => change({ importance: x }),
    }),
    probability: slider({
      label: "probability p that a feature is active",
      name: "probability",
      min: limits.probability[0],
      max: limits.probability[1],
      log: true,
      onChange: (x) => change({ probability: x }),
    }),
    ratio: slider({
      label: "importance of each further feature over the one before",
      name: "ratio",
      min: 0.5,
      max: 1,
      step: 0.01,
      onChange: (x) => change({ ratio: x }),
    }),
  };
  const play = button("Play", () => (timer === null ? start() : pause()), { class: "explorer-button explorer-main" });
  const buttons = [
    play,
    button("Step", () => (pause(), once())),
    button("Restart", () => (pause(), setUp())),
    button("Another start", () => change({ seed: state.seed + 1, start: null })),
  ];
  const seedNote = make("span", { class: "explorer-note" });
  const map = heatMap({
    ramp: data.ramp,
    onPick: ({ row, column }) => {
      const exact = (x) => Number(x.toPrecision(4));
      const { importance, probability } = data.maps;
      change({ importance: exact(importance[column]), probability: exact(probability[row]) });
    },
  });
  const mapFigure = make(
    "figure",
    { class: "explorer-figure" },
    map.element,
    make("figcaption", {}, "Capacity of feature 1 in the best network known, the others having importance 1. Choose a cell by pointing or by arrow keys."),
  );

  // ------------------------------------------------------------------------------- the pictures
  const plot = lossPlot();
  const key = make("p", { class: "explorer-key" });
  const sentence = make("p", { class: "explorer-summary", "aria-live": "polite" });
  const views = LINES.map(() => ({
    title: make("p", { class: "explorer-racer" }),
    space: vectorView({ colors }),
    bars: capacityBars(colors),
    gram: coloredTable("Gram matrix WᵀW, over its largest entry; frames: same block.", "explorer-small"),
  }));
  root.append(
    ...(models.length > 1 ? [choices.model.element] : []),
    ...(activations.length > 1 ? [choices.activation.element] : []),
    make(
      "div",
      { class: "explorer-pair" },
      mapFigure,
      make(
        "div",
        { class: "explorer-desk" },
        ...Object.values(sliders).map(({ element }) => element),
        make("div", { class: "explorer-bar" }, ...buttons),
        seedNote,
        sentence,
      ),
    ),
    make("figure", { class: "explorer-figure" }, plot.element, key),
    make(
      "div",
      { class: "explorer-race" },
      ...views.map(({ title, space, bars, gram }) =>
        make("div", {}, title, space.element, bars.element, gram.element),
      ),
    ),
    make(
      "p",
      { class: "explorer-note" },
      (d > 3 ? `The first three of ${d} neurons are drawn. ` : "") +
        (d > 2 ? "Drag a picture of vectors, or use the arrow keys, to turn it. " : "") +
        "Bars: capacities, with lines at ½ and 1.",
    ),
  );

  // --------------------------------------------------------------------------------- the setting
  const here = () => ({ ...state, importance: importances(n, state.importance, state.ratio) });

  function setUp() {
    cancel();
    state = kept.get();
    const one = here();
    const exact = isExact(state.model, state.activation);
    problem = problemAt(one, { d, rules });
    racers = startedAt(problem, { n, d, seed: state.seed, start: state.start, exact });
    stop = 0;
    const now = JSON.stringify([state.model, state.activation, one.importance, state.probability]);
    if (now !== setting) [setting, ends] = [now, []];
    choices.model.set(state.model);
    choices.activation.set(state.activation);
    for (const [name, one] of Object.entries(sliders)) one.set(state[name]);
    seedNote.textContent = state.start ? "a given start" : `random start ${state.seed}`;
    sentence.textContent = "Press Play: both minimizers set out from the same random matrix.";
    drawMap();
    pictures();
  }

  function drawMap() {
    const { importance, probability, values } = data.maps;
    const name = `${state.model}, ${state.activation}`;
    const exact = isExact(state.model, state.activation);
    mapFigure.hidden = !exact && !values[name];
    if (mapFigure.hidden) return;
    const shape = [probability, importance];
    const cells = exact ? closedForm(n, d, ...shape) : decoded(values[name], Float32Array);
    const at = { row: nearest(probability, state.probability), column: nearest(importance, state.importance) };
    const label = `Map of the capacity of feature 1; chosen: importance ${shown(state.importance, 3)}, probability ${shown(state.probability, 3)}.`;
    map.show({ values: cells, importance, probability, scale: "capacity", ...at }, label);
  }

  function change(more) {
    cancel();
    kept.set(more);
  }

  // ------------------------------------------------------------------------------------- playing
  const over = () => racers.every(({ run }) => run.over);

  function start() {
    if (over()) setUp();
    if (motionIsUnwelcome()) return atOnce();
    let due = 0;
    const next = (time) => {
      if (timer === null) return;
      if (time >= due) {
        if (advance(racers, nextStop(stop), problem, 24)) {
          stop = nextStop(stop);
          due = time + 90;
        }
        pictures();
      }
      if (over()) finish();
      else timer = requestAnimationFrame(next);
    };
    timer = requestAnimationFrame(next);
    play.textContent = "Pause";
    sentence.textContent = "";
  }

  // Without motion: the whole way, a piece at a time so that the page stays awake, and one picture.
  function atOnce() {
    const next = () => {
      if (timer === null) return;
      while (advance(racers, nextStop(stop), problem, 60) && !over()) stop = nextStop(stop);
      if (over()) finish();
      else timer = setTimeout(next, 0);
    };
    timer = setTimeout(next, 0);
    play.textContent = "Pause";
    sentence.textContent = "Minimizing; the pictures follow at the end.";
  }

  function once() {
    if (over()) return;
    stop = nextStop(stop);
    advance(racers, stop, problem);
    if (over()) finish();
    else pictures();
  }

  function cancel() {
    cancelAnimationFrame(timer);
    clearTimeout(timer);
    timer = null;
    play.textContent = "Play";
  }

  function pause() {
    if (timer === null) return;
    cancel();
    pictures();
  }

  function finish() {
    cancel();
    pictures();
    const found = racers.map((racer) => foundBy(racer, problem, capacities));
    ends = [...ends, ...found.map(({ loss }) => loss)];
    sentence.textContent = told(found, leastLoss(here(), d), ends, n);
    const { columns, ...second } = found[0];
    model.set("found", second);
    model.save_changes();
    announce("");
  }

  // ------------------------------------------------------------------------------------- drawing
  function pictures() {
    if (!racers.length) return;
    const found = racers.map((racer) => foundBy(racer, problem, capacities));
    const exact = isExact(state.model, state.activation);
    const names = [exact ? "Newton" : "Levenberg–Marquardt", "Gradient descent"];
    const best = leastLoss(here(), d);
    const lines = LINES.map((look, at) => ({ ...look, name: names[at], points: racers[at].points }));
    plot.show({ lines, best, ends });
    key.replaceChildren(
      ...lines.map(({ name, color, dash }) => lineKey(name, color, dash)),
      ...(best === null ? [] : [lineKey("least loss, closed form", "var(--ink)", "6 4")]),
      ...(ends.length > 2 ? [lineKey("where earlier starts ended", "var(--muted)", "3 2")] : []),
    );
    const longest = Math.max(...found.flatMap(({ columns }) => columns.map((w) => Math.hypot(...w.slice(0, 3)))));
    found.forEach(({ columns, capacity, steps, loss }, at) => {
      const { title, space, bars, gram } = views[at];
      title.replaceChildren(make("b", {}, names[at]), ` step ${steps.toLocaleString("en")}, loss ${shown(loss, 4)}`);
      space.show(columns, { main: 0, longest, label: `Embedding vectors of ${names[at]}.` });
      bars.show(capacity);
      const products = columns.map((a) => columns.map((b) => dot(a, b)));
      const largest = Math.max(...products.map((row, i) => row[i]), 1e-300);
      gram.show(products.map((row) => row.map((x) => x / largest)), blocksOf(blocks(columns, 0.1), n));
    });
    root.dataset.found = JSON.stringify(found.map(({ columns, ...one }) => one));
  }

  setUp();
  return () => {
    cancel();
    kept.end();
  };
}

function lineKey(name, color, dash) {
  const line = make("svg:line", { x1: 0, y1: 6, x2: 26, y2: 6, stroke: color, "stroke-width": 2.5, "stroke-dasharray": dash });
  return make("span", {}, make("svg:svg", { width: 26, height: 12, "aria-hidden": "true" }, line), name);
}

// Capacity of feature 1 in every cell of the quadratic model's map.
const closedForms = new Map();
function closedForm(n, d, probability, importance) {
  const name = `${n} ${d} ${probability} ${importance}`;
  if (!closedForms.has(name)) {
    const cells = probability.flatMap((p) =>
      importance.map((V) => solveAllocation(importances(n, V, 1), d, 1.8 / p).capacity[0]),
    );
    closedForms.set(name, cells);
  }
  return closedForms.get(name);
}

// The outcome in words.
function told([second, first], best, ends, n) {
  const percent = (loss, least) => `${shown(100 * (loss / least - 1), 2)} %`;
  const near = (a, b) => a <= b * 1.001;
  const count = (x) => x.toLocaleString("en");
  const parts = [`Second order takes ${count(second.steps)} steps, to a loss of ${shown(second.loss, 4)}.`];
  const state = first.settled ? "settles after" : "has not settled after";
  const verdict = near(first.loss, second.loss)
    ? near(second.loss, first.loss)
      ? "at the same loss"
      : `${percent(second.loss, first.loss)} lower, in another minimum`
    : `${percent(first.loss, second.loss)} above`;
  parts.push(`Gradient descent ${state} ${count(first.steps)}, ${verdict}.`);
  const lowest = Math.min(second.loss, first.loss);
  if (best !== null && best > 0) {
    parts.push(
      near(lowest, best)
        ? "That is the least loss there is."
        : `The least loss there is lies lower: this start ends ${percent(lowest, best)} above it. Try another one.`,
    );
  } else if (!near(lowest, Math.min(...ends))) {
    parts.push(`An earlier start found a lower minimum: this one is ${percent(lowest, Math.min(...ends))} above it.`);
  }
  const columns = second.W[0].map((_, i) => second.W.map((row) => row[i]));
  parts.push(describeBlocks(blocks(columns, 0.1), n));
  return parts.join(" ");
}

// The setting in the address of a page.
const address = {
  kind: "minimization",
  write: (model) => ({
    model: model.get("model"),
    f: model.get("activation"),
    V: model.get("importance"),
    p: model.get("probability"),
    ratio: model.get("ratio"),
    seed: model.get("seed"),
  }),
  read: (given, model) => {
    const { models, activations, limits } = model.get("data");
    const one = (text, known, name) => (known.includes(text) ? text : model.get(name));
    const activation = activations.map(({ value }) => value);
    return {
      model: one(given.model, models, "model"),
      activation: one(given.f, activation, "activation"),
      importance: within(given.V, ...limits.importance, model.get("importance")),
      probability: within(given.p, ...limits.probability, model.get("probability")),
      ratio: within(given.ratio, 0.5, 1, model.get("ratio")),
      seed: Math.round(within(given.seed, 0, 2 ** 31, model.get("seed"))),
    };
  },
};

const explorer = { render, address };
export default explorer;
