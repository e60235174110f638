// One feature among sparse ones: for which importance and which kurtosis of its own does it share?
import { frame, keep } from "./frame.js";
import { heatMap, nearest } from "./heatmap.js";
import { heaviness, lossOfShare, oneAgainst } from "./oneagainst.js";
import { tradePlot } from "./tradeplot.js";
import { make, shown, slider, within } from "./ui.js";

function render({ model, el }) {
  const { root } = frame(el);
  const data = model.get("data");
  const { importance, kurtosis, others } = data;
  const kept = keep({
    model,
    root,
    names: ["importance", "kurtosis"],
    draw,
    pictures: () => (map.draw(), trade.draw()),
  });
  const cells = kurtosis.flatMap((k) => importance.map((V) => oneAgainst(V, k, others).share));
  const map = heatMap({
    ramp: data.ramp,
    onPick: ({ row, column }) => {
      const exact = (x) => Number(x.toPrecision(4));
      kept.set({ importance: exact(importance[column]), kurtosis: exact(kurtosis[row]) });
    },
  });
  const one = (label, name, values, onChange) =>
    slider({ label, name, min: values[0], max: values.at(-1), log: true, digits: 4, onChange });
  const sliders = {
    importance: one(
      "importance V of the feature; the others have 1",
      "importance",
      importance,
      (V) => kept.set({ importance: V }),
    ),
    kurtosis: one(
      `kurtosis k of the feature; the others have ${shown(others.kurtosis, 3)}`,
      "kurtosis",
      kurtosis,
      (k) => kept.set({ kurtosis: k }),
    ),
  };
  const trade = tradePlot(data.color);
  const sentence = make("p", { class: "explorer-summary explorer-told", "aria-live": "polite" });
  const figure = (...parts) => make("figure", { class: "explorer-figure" }, ...parts);
  root.append(
    make("div", { class: "explorer-columns" }, ...Object.values(sliders).map(({ element }) => element)),
    sentence,
    make(
      "div",
      { class: "explorer-pair" },
      figure(map.element, make("figcaption", {}, data.map_caption)),
      figure(trade.element, make("figcaption", {}, data.trade_caption)),
    ),
  );

  function draw() {
    const { importance: V, kurtosis: k } = kept.get();
    sliders.importance.set(V);
    sliders.kurtosis.set(k);
    const best = oneAgainst(V, k, others);
    const told = sentences(best, V, k, others);
    map.show(
      {
        values: cells,
        importance,
        probability: kurtosis,
        across: "importance of the feature",
        up: "its kurtosis",
        marks: data.marks,
        line: 3,
        scale: "capacity",
        row: nearest(kurtosis, k),
        column: nearest(importance, V),
      },
      `Map of the capacity of the feature; chosen: importance ${shown(V, 3)}, kurtosis ${shown(k, 3)}.`,
    );
    trade.show({ lossOf: (share) => lossOfShare(share, V, k, others), share: best.share });
    sentence.replaceChildren(make("b", {}, told[0]), ` ${told[1]}`);
    Object.assign(root.dataset, best);
  }

  draw();
  return kept.end;
}

// What becomes of the feature, and why.
function sentences({ share, rest }, V, k, others) {
  const [own, theirs] = [heaviness(V, k), others.n * heaviness(1, others.kurtosis)];
  const dimensions = (count) => `${count} dimension${count > 1 ? "s" : ""}`;
  const left = others.nDims - share;
  const what =
    share === 0
      ? `It is ignored; the others have ${shown(rest, 2)} of a dimension each.`
      : share === 1
        ? left > 0
          ? `It has a dimension of its own; the others share ${dimensions(left)}, ${shown(rest, 2)} each.`
          : "It takes the only dimension; the others have nothing."
        : `It shares: it takes ${shown(share, 2)} of a dimension, the others ${shown(rest, 2)} each.`;
  const weighs = `it weighs ${shown(own, 3)}, the others together ${shown(theirs, 3)}`;
  const why =
    k >= 3
      ? "Its returns do not increase, so nothing keeps it from sharing at the right importance."
      : own < theirs
        ? `Its returns increase, and it is too light to share: ${weighs}.`
        : share === 0
          ? `It would be heavy enough to share, but matters too little: ${weighs}.`
          : share === 1
            ? `It would be heavy enough to share, but matters too much for that: ${weighs}.`
            : `Its returns increase, but it is heavy enough: ${weighs}.`;
  return [what, why];
}

// The setting in the address of a page.
const address = {
  kind: "unequal",
  write: (model) => ({ V: model.get("importance"), k: model.get("kurtosis") }),
  read: ({ V, k }, model) => {
    const { importance, kurtosis } = model.get("data");
    return {
      importance: within(V, importance[0], importance.at(-1), model.get("importance")),
      kurtosis: within(k, kurtosis[0], kurtosis.at(-1), model.get("kurtosis")),
    };
  },
};

const explorer = { render, address };
export default explorer;
