// Front-door explorer: the paper's phase diagram, and the network that is best in the chosen cell.
import { capacityBars } from "./bars.js";
import { frame, keep, motionIsUnwelcome } from "./frame.js";
import { heatMap, nearest } from "./heatmap.js";
import { dot, solveAllocation } from "./theory.js";
import { button, make, shown, slider, within } from "./ui.js";
import { umbrella } from "./umbrella.js";
import { vectorView } from "./vectors.js";

const importancesOf = (n, V) => [V, ...new Array(n - 1).fill(1)];

function render({ model, el }) {
  const { root } = frame(el);
  const data = model.get("data");
  const { n_features: n, importance, probability, colors, tour, labels } = data;
  const kept = keep({
    model,
    root,
    names: ["importance", "probability"],
    draw,
    pictures: () => (map.draw(), space.draw()),
  });
  let timer = null;
  const cells = probability.flatMap((p) =>
    importance.map((V) => solveAllocation(importancesOf(n, V), 3, 1.8 / p).capacity[0]),
  );

  const change = (more) => {
    pause();
    kept.set(more);
  };
  const map = heatMap({
    ramp: data.ramp,
    onPick: ({ row, column }) => {
      const exact = (x) => Number(x.toPrecision(4));
      change({ importance: exact(importance[column]), probability: exact(probability[row]) });
    },
  });
  const sliders = {
    importance: slider({
      label: "importance V of feature 1; the others have 1",
      name: "importance",
      min: importance[0],
      max: importance.at(-1),
      log: true,
      digits: 3,
      onChange: (V) => change({ importance: V }),
    }),
    probability: slider({
      label: "probability p that a feature is active",
      name: "probability",
      min: probability[0],
      max: 1,
      log: true,
      digits: 3,
      onChange: (p) => change({ probability: p }),
    }),
  };
  const play = button("Play", () => (timer === null ? start() : stop()), {
    class: "explorer-button explorer-main",
    title: "raise the importance of feature 1 from little to much",
  });
  const places = data.places.map(({ name, V, p }) =>
    button(name, () => change({ importance: V, probability: p })),
  );
  const space = vectorView({ colors });
  const bars = capacityBars(colors);
  const figure = (...parts) => make("figure", { class: "explorer-figure" }, ...parts);
  const sentence = make("p", { class: "explorer-summary explorer-told", "aria-live": "polite" });
  root.append(
    make("p", { class: "explorer-note" }, data.lead),
    make(
      "div",
      { class: "explorer-pair" },
      figure(map.element, make("figcaption", {}, data.map_caption)),
      figure(space.element, bars.element, make("figcaption", {}, data.space_caption)),
    ),
    sentence,
    make("div", { class: "explorer-bar" }, play, ...places),
    make("div", { class: "explorer-columns" }, ...Object.values(sliders).map(({ element }) => element)),
  );

  function draw() {
    const { importance: V, probability: p } = kept.get();
    sliders.importance.set(V);
    sliders.probability.set(p);
    const best = solveAllocation(importancesOf(n, V), 3, 1.8 / p);
    const W = umbrella(best);
    const told = sentences(best, { V, p, W, n });
    const label = `Map of the capacity of feature 1; chosen: importance ${shown(V, 3)}, probability ${shown(p, 3)}.`;
    const at = { row: nearest(probability, p), column: nearest(importance, V) };
    map.show({ values: cells, importance, probability, scale: "capacity", labels, ...at }, label);
    space.show(W, { main: 0, longest: Math.max(1.15, ...W.map((w) => Math.sqrt(dot(w, w)))), label: told[0] });
    bars.show(best.capacity);
    if (timer === null) sentence.replaceChildren(make("b", {}, told[0]), ` ${told[1]}`);
    root.dataset.matrix = JSON.stringify(W);
  }

  // Along a row of the map and back: feature 1 is ignored, shares, has a dimension, and shares again.
  function start() {
    const { importance: V, probability: p } = kept.get();
    const [low, high] = tour.map(Math.log);
    const at = Math.acos(1 - 2 * within(String((Math.log(V) - low) / (high - low)), 0, 1, 0));
    if (motionIsUnwelcome()) {
      // Without motion, one stage after the other.
      const stages = [0.15, 1, 4];
      const next = stages.find((stage) => stage > V * 1.01) ?? stages[0];
      return kept.set({ importance: next, probability: p });
    }
    let begun = null;
    const next = (time) => {
      if (timer === null) return;
      begun ??= time;
      const turn = (time - begun) / 2600;
      const part = (1 - Math.cos(at + turn)) / 2;
      kept.put({ importance: Number(Math.exp(low + part * (high - low)).toPrecision(4)) });
      if (turn > 2 * Math.PI) stop();
      else timer = requestAnimationFrame(next);
    };
    sentence.textContent = "The importance of feature 1 rises and falls; everything else stays.";
    timer = requestAnimationFrame(next);
    play.textContent = "Pause";
  }

  function pause() {
    cancelAnimationFrame(timer);
    timer = null;
    play.textContent = "Play";
  }

  function stop() {
    pause();
    draw();
    kept.tell();
  }

  draw();
  return () => {
    pause();
    kept.end();
  };
}

// What one sees, and what the network does with it.
function sentences({ capacity, phase }, { V, p, W, n }) {
  const others = n - 1;
  const counts = ["", "", "", "", "four", "five", "six", "seven", "eight", "nine"];
  const [own, next] = [capacity[0], capacity[1]];
  const first = shown(dot(W[0], W[0]), 3);
  const right = shown(V, 3);
  const between = shown(2 * dot(W[0], W[1]), 2).replace("-", "−");
  const often = `Features are active ${shown(100 * p, 2)} % of the time, `;
  if (next === 1 || next === 0) {
    const dense = phase[0] === 2 ? "feature 1 has a neuron of its own" : "feature 1 is ignored";
    return [
      `${often}which is too often for sharing to pay: ${dense}.`,
      "Three features have a neuron each, and the rest are not represented. No neuron is polysemantic.",
    ];
  }
  if (own === 0) {
    return [
      `${often}and feature 1 matters too little: it is ignored.`,
      `The other ${counts[others]} share the three neurons, ${shown(next, 2)} of a dimension each. ` +
        "Nothing that the network says depends on feature 1.",
    ];
  }
  if (own === 1) {
    return [
      `${often}and feature 1 matters enough for a dimension of its own.`,
      `The other ${counts[others]} lie across it and share the two dimensions that are left, ` +
        `${shown(next, 2)} each. Where x₁ = 1 the answer rises by ${first}, as it should.`,
    ];
  }
  return [
    `${often}rarely enough to share: feature 1 is allocated ${shown(own, 2)} of a dimension, ` +
      `the others ${shown(next, 2)} each.`,
    `${counts[n][0].toUpperCase()}${counts[n].slice(1)} vectors do not fit into three dimensions ` +
      "at right angles, so every neuron answers to several features: it is polysemantic. " +
      `Where x₁ = 1 the answer rises by ${first} instead of ${right}; where x₂ = 1 as well, ` +
      `a connection that is not there adds ${between}.`,
  ];
}

// The setting in the address of a page.
const address = {
  kind: "front",
  write: (model) => ({ V: model.get("importance"), p: model.get("probability") }),
  read: ({ V, p }, model) => {
    const { importance, probability } = model.get("data");
    return {
      importance: within(V, importance[0], importance.at(-1), model.get("importance")),
      probability: within(p, probability[0], 1, model.get("probability")),
    };
  },
};

const explorer = { render, address };
export default explorer;
