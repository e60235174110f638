// Phase-diagram explorer: a map of cells, and the embedding behind each of them.
import { frame, group, keep } from "./frame.js";
import { heatMap, nearest } from "./heatmap.js";
import { blocksOf, coloredTable, describeBlocks } from "./pairs.js";
import { blocks, capacities, cosines, dot, turnedAlongBlocks } from "./theory.js";
import { choice, make, shown, slider } from "./ui.js";
import { vectorView } from "./vectors.js";

function render({ model, el }) {
  const { root } = frame(el);
  const data = model.get("data");
  const { axes, maps, importance, probability, kurtosis, colors } = data;
  const [nRows, nColumns] = [probability.length, importance.length];
  const decoded = new Map();
  const names = ["key", "importance", "probability"];
  const kept = keep({ model, root, names, draw, pictures: () => (map.draw(), space.draw()) });
  const state = { key: null, row: 0, column: 0 };
  const groups = group();
  let hovered = null;

  // --------------------------------------------------------------------------------- the data
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  function current() {
    const map = maps.find(({ key }) => same(key, state.key));
    if (!decoded.has(map)) {
      const [nDims, nFeatures] = map.shape;
      const cells = bytes(data.embeddings[map.embedding]);
      const scale = new Float32Array(cells, 0, nRows * nColumns);
      const entries = new Int16Array(cells, 4 * nRows * nColumns);
      decoded.set(map, {
        ...map,
        values: new Float32Array(bytes(map.values)),
        loss: new Float32Array(bytes(map.loss)),
        // One column per feature; entries are whole numbers of a unit that differs cell by cell.
        W: (cell) =>
          Array.from({ length: nFeatures }, (_, i) =>
            Array.from({ length: nDims }, (_, a) => {
              return scale[cell] * entries[(cell * nFeatures + i) * nDims + a];
            }),
          ),
      });
    }
    return decoded.get(map);
  }

  // ------------------------------------------------------------------------------ the controls
  const choices = axes.map(({ name, label }, a) => {
    const options = [...new Set(maps.map(({ key }) => key[a]))];
    return choice({
      label,
      name: `${groups}-${name}`,
      options: options.map((value) => ({ value, text: value })),
      onChange: (value) => pick(a, value),
    });
  });
  const places = [
    slider({
      label: "importance V of feature 1 (column of the map)",
      name: "importance",
      min: 0,
      max: nColumns - 1,
      step: 1,
      shows: (c) => shown(importance[c], 4),
      onChange: (column) => update({ column }),
    }),
    slider({
      label: "probability p of a feature (row of the map)",
      name: "probability",
      min: 0,
      max: nRows - 1,
      step: 1,
      shows: (r) => shown(probability[r], 4),
      onChange: (row) => update({ row }),
    }),
  ];
  for (const place of places) {
    // The slider counts cells; what they stand for is in the readout, so the number is left out.
    place.number.remove();
    place.element.style.gridTemplateColumns = "1fr";
  }

  const map = heatMap({
    ramp: data.ramp,
    onPick: update,
    onHover: (cell) => {
      hovered = cell;
      drawReadout();
    },
  });
  const readout = make("div", { class: "explorer-readout", "aria-live": "polite" });
  const space = vectorView({ colors });
  const spaceCaption = make("figcaption");
  const pairs = coloredTable("Cosines between the features; frames: same block.");
  const features = make("tbody");
  const blocksLine = make("p", { class: "explorer-summary" });
  root.append(
    ...choices.map(({ element }) => element),
    make(
      "div",
      { class: "explorer-pair" },
      make(
        "figure",
        { class: "explorer-figure" },
        map.element,
        make("figcaption", {}, "Point at a cell to read it; click it, or use the arrow keys, to see its embedding."),
      ),
      make("figure", { class: "explorer-figure" }, space.element, spaceCaption),
    ),
    readout,
    make("div", { class: "explorer-columns" }, ...places.map(({ element }) => element)),
    blocksLine,
    make(
      "div",
      { class: "explorer-pair" },
      make(
        "table",
        { class: "explorer-features" },
        make("caption", {}, "The embedding of the chosen cell"),
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            ...["feature", "capacity", "squared length"].map((t) => make("th", { scope: "col" }, t)),
          ),
        ),
        features,
      ),
      pairs.element,
    ),
  );

  // ------------------------------------------------------------------------------ the rest
  function drawReadout() {
    const { row, column } = hovered ?? state;
    const cell = row * nColumns + column;
    const { values, loss, scale } = current();
    const entries = [
      ["V", shown(importance[column], 4)],
      ["p", shown(probability[row], 4)],
      ["k", shown(kurtosis[row], 4)],
      [scale === "difference" ? "difference in C" : "C", Number.isNaN(values[cell]) ? "not unique" : shown(values[cell], 4)],
      ["loss", shown(loss[cell], 4)],
    ];
    readout.replaceChildren(
      ...entries.map(([name, value]) => make("span", {}, make("i", {}, name), ` ${value}`)),
    );
    Object.assign(readout.dataset, {
      importance: importance[column],
      probability: probability[row],
      value: values[cell],
      loss: loss[cell],
    });
  }

  function draw() {
    const kind = model.get("key");
    state.key = maps.some(({ key }) => same(key, kind)) ? kind : maps[0].key;
    state.column = nearest(importance, model.get("importance"));
    state.row = nearest(probability, model.get("probability"));
    const here = current();
    choices.forEach((one, a) => {
      one.set(state.key[a]);
      const others = (key) => key.every((part, b) => b === a || part === state.key[b]);
      one.enable(a === 0 ? maps.map(({ key }) => key[0]) : maps.filter(({ key }) => others(key)).map(({ key }) => key[a]));
    });
    places[0].set(state.column);
    places[1].set(state.row);
    const cell = state.row * nColumns + state.column;
    const W = here.W(cell);
    const found = blocks(W, data.tolerance);
    const turned = turnedAlongBlocks(W, found, 0);
    const each = capacities(W);
    blocksLine.textContent = describeBlocks(found, W.length);
    space.show(turned, { main: 0, label: `Embedding vectors. ${blocksLine.textContent}` });
    const dims = here.shape[0];
    spaceCaption.textContent =
      (dims > 3 ? `The first three of ${dims} dimensions, those of feature 1 first. ` : "") +
      (dims > 2 ? "Drag, or use the arrow keys, to turn." : "");
    pairs.show(cosines(W), blocksOf(found, W.length));
    features.replaceChildren(
      ...W.map((w, i) => {
        const swatch = make("span", { class: "explorer-swatch" });
        swatch.style.background = colors[i % colors.length];
        const bar = make("span", { class: "explorer-meter" });
        bar.style.setProperty("--feature", colors[i % colors.length]);
        bar.style.setProperty("--part", each[i]);
        return make(
          "tr",
          { "data-capacity": each[i] },
          make("th", { scope: "row" }, swatch, String(i + 1)),
          make("td", {}, bar, each[i].toFixed(3)),
          make("td", {}, shown(dot(w, w), 3)),
        );
      }),
    );
    const [V, p] = [shown(importance[state.column], 3), shown(probability[state.row], 3)];
    const what = here.scale === "difference" ? "the difference" : "the capacity of feature 1";
    map.show(
      { ...here, importance, probability, row: state.row, column: state.column },
      `Map of ${what} for ${state.key.join(", ")}; chosen: importance ${V}, probability ${p}.`,
    );
    drawReadout();
  }

  function pick(axis, value) {
    const wanted = state.key.map((part, a) => (a === axis ? value : part));
    const alike = ({ key }) => key.filter((part, a) => part === wanted[a]).length;
    const best = maps.filter(({ key }) => key[axis] === value).sort((a, b) => alike(b) - alike(a))[0];
    update({ key: best.key });
  }

  function update(change) {
    const { key, row, column } = { ...state, ...change };
    const exact = (x) => Number(x.toPrecision(6));
    kept.set({ key, importance: exact(importance[column]), probability: exact(probability[row]) });
  }

  draw();
  return kept.end;
}

const same = (a, b) => a.length === b.length && a.every((part, at) => part === b[at]);

// The setting in the address of a page.
const address = {
  kind: "phases",
  write: (model) => ({
    ...Object.fromEntries(
      model.get("data").axes.map(({ name }, a) => [name, model.get("key")[a]]),
    ),
    V: model.get("importance"),
    p: model.get("probability"),
  }),
  read: (given, model) => {
    const { axes, maps } = model.get("data");
    const key = axes.map(({ name }, a) => given[name] ?? model.get("key")[a]);
    const positive = (text, otherwise) => (Number(text) > 0 ? Number(text) : otherwise);
    return {
      key: maps.some((map) => same(map.key, key)) ? key : model.get("key"),
      importance: positive(given.V, model.get("importance")),
      probability: positive(given.p, model.get("probability")),
    };
  },
};

const explorer = { render, address };
export default explorer;
