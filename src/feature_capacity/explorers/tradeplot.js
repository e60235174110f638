// The loss against what one feature takes from the others, with its least value marked.
import { make, redraw, shown } from "./ui.js";

const BOX = { left: 16, right: 14, top: 14, bottom: 40 };
const POINTS = 200;

// `lossOf` gives the loss of a share; `share` is the best one.
export function tradePlot(color) {
  const picture = make("svg:svg", { role: "img", class: "explorer-trade" });
  let now = null;

  function draw() {
    const width = picture.parentElement?.clientWidth;
    if (!width || !now) return;
    const height = Math.round(0.72 * width);
    const [w, h] = [width - BOX.left - BOX.right, height - BOX.top - BOX.bottom];
    const shares = Array.from({ length: POINTS + 1 }, (_, i) => i / POINTS);
    const losses = shares.map(now.lossOf);
    const [low, high] = [now.lossOf(now.share), Math.max(...losses)];
    const x = (share) => BOX.left + w * share;
    const y = (loss) => BOX.top + 0.94 * h * (1 - (loss - low) / (high - low || 1));
    const middle = { "text-anchor": "middle" };
    const parts = [0, 0.5, 1].flatMap((share) => [
      make("svg:line", { x1: x(share), x2: x(share), y1: BOX.top, y2: BOX.top + h, class: "explorer-grid" }),
      make("svg:text", { x: x(share), y: BOX.top + h + 15, ...middle }, String(share)),
    ]);
    const places = shares.map((share, i) => `${x(share).toFixed(1)},${y(losses[i]).toFixed(1)}`);
    parts.push(
      make("svg:polyline", { points: places.join(" "), class: "explorer-line", stroke: "currentColor" }),
      make("svg:circle", { cx: x(now.share), cy: y(low), r: 6, fill: color, class: "explorer-least" }),
      make("svg:text", { x: BOX.left + w / 2, y: height - 6, ...middle }, "capacity that the feature takes"),
    );
    redraw(picture, width, height, parts);
  }

  return {
    element: picture,
    draw,
    show: (given) => {
      now = given;
      const [least, none, all] = [given.share, 0, 1].map((share) => shown(given.lossOf(share), 4));
      picture.setAttribute(
        "aria-label",
        `Loss against what the feature takes: ${none} at nothing, ${all} at a whole dimension, ` +
          `least, ${least}, at ${shown(given.share, 3)}.`,
      );
      draw();
    },
  };
}
