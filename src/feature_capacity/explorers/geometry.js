// Geometry explorer: any capacities that spend the budget, and an embedding that has them.
import { frame, keep, motionIsUnwelcome } from "./frame.js";
import { blocksOf, coloredTable, describeBlocks } from "./pairs.js";
import {
  afterRotations,
  blocks,
  capacities,
  cosines,
  dot,
  mixColumns,
  randomNumbers,
  rotationSteps,
  sum,
  withCapacity,
} from "./theory.js";
import { button, make, numbersIn, shown, slider, within } from "./ui.js";
import { vectorView } from "./vectors.js";

const rotationsOf = (capacity) => rotationSteps(capacity).steps.length;

// The sign of a vector is free.  Of two that end parallel the later one is turned around for the
// whole film, so that a pair that shares a line is antipodal.
function pointingApart(W, end) {
  const signs = [];
  end.forEach((w, i) => {
    const along = end.findIndex((other, j) => {
      const [own, theirs] = [dot(w, w), dot(other, other)];
      return j < i && Math.abs(dot(w, other)) > (1 - 1e-9) * Math.sqrt(own * theirs) && own > 0;
    });
    signs.push(along < 0 ? 1 : -Math.sign(dot(w, end[along])) * signs[along]);
  });
  return W.map((w, i) => (signs[i] < 0 ? w.map((x) => -x) : w));
}

function render({ model, el }) {
  const { root, announce } = frame(el);
  const { colors, presets, tolerance } = model.get("data");
  const names = ["capacity", "held", "step", "member"];
  const kept = keep({ model, root, names, draw, pictures: () => space.draw() });
  let state = kept.get();
  let rows = [];
  let playing = null;

  const presetBar = make(
    "div",
    { class: "explorer-bar" },
    make("span", { class: "explorer-label" }, "Begin with"),
    ...presets.map(({ name, capacity }) =>
      button(name, () => {
        stop();
        update({ ...finished(capacity), held: capacity.map(() => false) });
      }),
    ),
  );
  const finished = (capacity) => ({ capacity, step: rotationsOf(capacity), member: 0 });
  const list = make("ol", { class: "explorer-list explorer-capacities" });
  const film = slider({
    label: "rotations done",
    name: "step",
    min: 0,
    max: 1,
    step: 0.02,
    digits: 3,
    onChange: (step) => (stop(), update({ step, member: 0 })),
  });
  const play = button("Play", () => (playing ? stop() : start()));
  const another = button("Another one with these capacities", () => {
    stop();
    update({ ...finished(state.capacity), member: state.member + 1 });
  });
  const sentence = make("p", { class: "explorer-summary", "aria-live": "polite" });
  const space = vectorView({ colors });
  const spaceCaption = make("figcaption");
  const pairs = coloredTable("Cosines between the features; frames: same block.");
  const matrix = coloredTable(
    "The matrix W: a row for each neuron, a column for each feature. WWᵀ = I at every stage.",
    "explorer-matrix",
  );

  root.append(
    presetBar,
    make("p", { class: "explorer-note" }, "Capacities: when one is moved the others give way, so that the sum stays. Ticked ones are held. The mark on a bar is the squared length at this stage."),
    list,
    make("div", { class: "explorer-film" }, film.element, play, another),
    sentence,
    make(
      "div",
      { class: "explorer-pair" },
      make("figure", { class: "explorer-figure" }, space.element, spaceCaption),
      make("div", {}, matrix.element, pairs.element),
    ),
  );

  function addRow(i) {
    const color = colors[i % colors.length];
    const capacity = slider({
      label: `capacity of feature ${i + 1}`,
      name: `capacity-${i + 1}`,
      min: 0,
      max: 1,
      step: 0.01,
      digits: 6,
      hidden: true,
      onChange: (x) => (stop(), setCapacity(i, x)),
    });
    capacity.element.style.setProperty("--feature", color);
    const bar = make("span", { class: "explorer-meter", title: "squared length" });
    const mark = make("i");
    bar.append(mark);
    bar.style.setProperty("--feature", color);
    const hold = make("input", {
      type: "checkbox",
      "aria-label": `hold the capacity of feature ${i + 1}`,
      onchange: () => update({ held: state.held.map((h, j) => (j === i ? hold.checked : h)) }),
    });
    const holder = make("label", { class: "explorer-hold" }, hold, "hold");
    const swatch = make("span", { class: "explorer-swatch" });
    swatch.style.background = color;
    const name = make("span", { class: "explorer-name" }, swatch, String(i + 1));
    const row = make("li", {}, name, capacity.element, holder, bar);
    list.append(row);
    rows.push({ row, capacity, bar, mark, hold });
  }

  function setCapacity(i, x) {
    const next = withCapacity(state.capacity, i, x, state.held);
    if (Math.abs(next[i] - x) > 1e-9) announce("The others cannot give or take more than that.");
    else announce("");
    update(finished(next));
  }

  // The matrix at this stage of the film, or another member of the family at its end.
  function matrixNow(steps) {
    const total = steps.steps.length;
    const end = afterRotations(steps, total);
    const W = pointingApart(afterRotations(steps, state.step), end);
    if (state.member === 0 || state.step < total) return W;
    return mixColumns(W, randomNumbers(state.member));
  }

  function draw() {
    state = kept.get();
    const { capacity } = state;
    while (rows.length < capacity.length) addRow(rows.length);
    while (rows.length > capacity.length) rows.pop().row.remove();
    const steps = rotationSteps(capacity);
    const total = steps.steps.length;
    state.step = Math.min(state.step, total);
    const W = matrixNow(steps);
    const found = blocks(W, tolerance);
    const lengths = W.map((w) => dot(w, w));
    const each = capacities(W);
    rows.forEach(({ row, capacity: field, bar, mark, hold }, i) => {
      field.set(capacity[i]);
      bar.style.setProperty("--part", lengths[i]);
      mark.style.left = `calc(${100 * capacity[i]}% - 1px)`;
      hold.checked = state.held[i];
      row.dataset.capacity = each[i];
    });
    film.limit(0, Math.max(total, 1e-9));
    film.set(state.step);
    film.range.disabled = total === 0;
    const D = W[0].length;
    const done = state.step >= total;
    const stage = done
      ? state.member
        ? `Member ${state.member} of the family with these capacities. `
        : `All ${total} rotations done: every feature has its capacity. `
      : `${shown(state.step, 3)} of ${total} rotations. `;
    sentence.textContent = stage + describeBlocks(found, W.length);
    space.show(W, { longest: 1, label: `${W.length} vectors in ${D} dimensions. ${describeBlocks(found, W.length)}` });
    spaceCaption.textContent = D > 2 ? "Drag, or use the arrow keys, to turn." : "";
    pairs.show(cosines(W), blocksOf(found, W.length));
    matrix.show(W[0].map((_, a) => W.map((w) => w[a])));
    root.dataset.matrix = JSON.stringify(W);
    root.dataset.blocks = JSON.stringify(found.map(({ features }) => features));
    play.textContent = playing ? "Pause" : "Play";
  }

  // ---------------------------------------------------------------------------------- the film
  function start() {
    const total = rotationsOf(state.capacity);
    if (!total) return;
    const from = state.step >= total ? 0 : state.step;
    if (motionIsUnwelcome()) {
      // Without motion, whole rotations one after the other.
      update({ step: Math.floor(from) + 1, member: 0 });
      return;
    }
    let before = null;
    const next = (now) => {
      if (!playing) return;
      const step = Math.min(total, state.step + (now - (before ?? now)) / 1200);
      before = now;
      kept.put({ step });
      if (step >= total) stop();
      else playing = requestAnimationFrame(next);
    };
    playing = requestAnimationFrame(next);
    kept.put({ step: from, member: 0 });
  }

  function stop() {
    if (!playing) return;
    cancelAnimationFrame(playing);
    playing = null;
    draw();
    kept.tell();
  }

  function update(change) {
    kept.set({ ...state, ...change });
  }

  draw();
  return () => {
    cancelAnimationFrame(playing);
    kept.end();
  };
}

// The setting in the address of a page.
const address = {
  kind: "geometry",
  write: (model) => {
    const [capacity, held, step, member] = ["capacity", "held", "step", "member"].map((name) =>
      model.get(name),
    );
    const marked = held.flatMap((h, i) => (h ? [i + 1] : []));
    return {
      c: capacity.map((c) => Number(c.toPrecision(12))).join(","),
      ...(marked.length ? { held: marked.join(",") } : {}),
      ...(step < rotationsOf(capacity) ? { step: shown(step, 4) } : {}),
      ...(member ? { member } : {}),
    };
  },
  read: ({ c, held, step, member }, model, announce) => {
    const { limits } = model.get("data");
    const given = numbersIn(c) ?? [];
    const total = sum(given);
    const whole = Math.round(total);
    const good =
      given.length >= 2 &&
      given.length <= limits.features &&
      given.every((x) => x >= 0 && x <= 1) &&
      Math.abs(total - whole) < 1e-6 &&
      whole >= 1 &&
      whole <= limits.dims;
    if (c && !good) {
      const sums = `1, 2 or ${limits.dims}`;
      announce(`The capacities in the address must lie in [0, 1] and sum to ${sums}.`);
    }
    const capacity = good ? given : model.get("capacity");
    const marked = numbersIn(held) ?? [];
    return {
      capacity,
      held: capacity.map((_, i) => marked.includes(i + 1)),
      step: within(step, 0, rotationsOf(capacity), rotationsOf(capacity)),
      member: Math.round(within(member, 0, 1e6, 0)),
    };
  },
};

const explorer = { render, address };
export default explorer;
