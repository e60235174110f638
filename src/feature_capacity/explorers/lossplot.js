// Loss against steps, both in logarithm, for minimizers that run side by side.
import { make, redraw, shown } from "./ui.js";

const BOX = { left: 58, right: 14, top: 12, bottom: 38 };

// `lines` is a list of { name, color, dash, points: [[step, loss], ...] }; `best` a loss to compare
// with, or null; `ends` are losses in which earlier starts ended.
export function lossPlot() {
  const picture = make("svg:svg", { role: "img", class: "explorer-losses" });
  let now = null;

  function draw() {
    const width = picture.parentElement?.clientWidth;
    if (!width || !now) return;
    const height = Math.min(260, Math.max(180, 0.36 * width));
    const parts = [];
    const { lines, best, ends } = now;
    const all = lines.flatMap(({ points }) => points.map(([, loss]) => loss));
    const known = [...all, ...ends, ...(best === null ? [] : [best])].filter((x) => x > 0);
    if (!known.length) return;
    const steps = Math.max(10, ...lines.map(({ points }) => points.at(-1)[0] + 1));
    const [low, high] = [0.92 * Math.min(...known), 1.12 * Math.max(...known)];
    const [w, h] = [width - BOX.left - BOX.right, height - BOX.top - BOX.bottom];
    const x = (step) => BOX.left + (w * Math.log(step + 1)) / Math.log(steps);
    const y = (loss) => BOX.top + h - (h * Math.log(loss / low)) / Math.log(high / low);
    const text = (words, at, more) => parts.push(make("svg:text", { ...at, ...more }, words));
    const line = (x1, y1, x2, y2, more) => parts.push(make("svg:line", { x1, y1, x2, y2, ...more }));
    for (const value of roundNumbers(low, high)) {
      line(BOX.left, y(value), BOX.left + w, y(value), { class: "explorer-grid" });
      const at = { x: BOX.left - 7, y: y(value) };
      text(shown(value, 2), at, { "text-anchor": "end", "dominant-baseline": "middle" });
    }
    for (const step of [0, 1, 3, 10, 30, 100, 300, 1000, 3000].filter((s) => s < steps)) {
      line(x(step), BOX.top, x(step), BOX.top + h, { class: "explorer-grid" });
      text(String(step), { x: x(step), y: BOX.top + h + 15 }, { "text-anchor": "middle" });
    }
    text("steps", { x: BOX.left + w / 2, y: height - 5 }, { "text-anchor": "middle" });
    const middle = `rotate(-90 12 ${BOX.top + h / 2})`;
    text("expected loss", { x: 12, y: BOX.top + h / 2 }, { "text-anchor": "middle", transform: middle });
    if (best !== null && best > 0) {
      line(BOX.left, y(best), BOX.left + w, y(best), { class: "explorer-threshold" });
    }
    for (const end of ends.filter((loss) => loss > 0)) {
      line(BOX.left + w - 9, y(end), BOX.left + w + 5, y(end), { class: "explorer-end" });
    }
    for (const { color, dash, points } of lines) {
      const places = points.map(([step, loss]) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`);
      const more = { class: "explorer-line", stroke: color, "stroke-dasharray": dash };
      parts.push(make("svg:polyline", { points: places.join(" "), ...more }));
      const [step, loss] = points.at(-1);
      parts.push(make("svg:circle", { cx: x(step), cy: y(loss), r: 4.5, fill: color }));
    }
    redraw(picture, width, height, parts);
  }

  return {
    element: picture,
    draw,
    show: (given) => {
      now = given;
      const told = given.lines.map(
        ({ name, points }) => `${name}: ${shown(points.at(-1)[1], 4)} after ${points.at(-1)[0]} steps`,
      );
      picture.setAttribute("aria-label", `Expected loss against steps. ${told.join("; ")}.`);
      draw();
    },
  };
}

// Round numbers for an axis in logarithm: 1, 2 and 5 of each decade, or decades where there are many.
function roundNumbers(low, high) {
  const found = [];
  const decades = Math.log10(high / low);
  const each = decades < 0.4 ? [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8] : decades < 3 ? [1, 2, 5] : [1];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
    for (const digit of each) {
      const value = Number((digit * 10 ** e).toPrecision(3));
      if (value >= low && value <= high) found.push(value);
    }
  }
  const every = Math.ceil(found.length / 7);
  return found.filter((_, at) => at % every === 0);
}
