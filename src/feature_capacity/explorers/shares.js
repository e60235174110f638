// Pictures of how many features have how much capacity.
import { make, shown } from "./ui.js";

const HEIGHT = 210;
const EDGE = { left: 52, right: 18, top: 12, bottom: 40 };
const BINS = 40;

// A frame with a horizontal axis, and functions from values to places.
function canvas(width, label, [low, high]) {
  const x = (value) => EDGE.left + ((value - low) / (high - low)) * (width - EDGE.left - EDGE.right);
  const y = (part) => HEIGHT - EDGE.bottom - part * (HEIGHT - EDGE.top - EDGE.bottom);
  const svg = make("svg:svg", { role: "img", viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, "aria-label": label });
  const text = (words, at, up, anchor = "middle") => make("svg:text", { x: at, y: up, "text-anchor": anchor }, words);
  const line = (x1, y1, x2, y2, kind = "explorer-grid") => make("svg:line", { x1, y1, x2, y2, class: kind });
  return { svg, x, y, text, line, width };
}

// A bar for each feature, in the color of its phase.
export function capacityBars({ n, capacity, finite, phase, share, random }, colors, width) {
  const told = Array.from(capacity, (c, i) => `feature ${i}: ${finite[i] ? shown(c) : "not finite"}`).join(", ");
  const { svg, x, y, text, line } = canvas(width, `Capacities. ${told}`, [-0.5, n - 0.5]);
  for (const part of [0, 0.5, 1]) {
    svg.append(line(EDGE.left, y(part), width - EDGE.right, y(part)), text(String(part), EDGE.left - 8, y(part) + 4, "end"));
  }
  svg.append(band(x(-0.5), y(random.limits[1]), x(n - 0.5), y(random.limits[0])));
  const wide = 0.8 * (x(1) - x(0));
  const every = Math.max(1, Math.ceil(n / ((width - EDGE.left) / 26)));
  capacity.forEach((c, i) => {
    if (finite[i]) svg.append(make("svg:rect", { x: x(i) - wide / 2, y: y(c), width: wide, height: y(0) - y(c), fill: colors[phase[i]] }));
    if (i % every === 0) svg.append(text(String(i), x(i), HEIGHT - EDGE.bottom + 16));
  });
  svg.append(line(EDGE.left, y(share), width - EDGE.right, y(share), "explorer-threshold"));
  svg.append(text("feature", (EDGE.left + width) / 2, HEIGHT - 6), turned("capacity"));
  return svg;
}

// How many features have how much; the scale of counts is logarithmic where it must be.
export function capacityHistogram({ capacity, finite, share, random }, colors, width) {
  const own = capacity.filter((_, i) => finite[i]);
  const most = own.reduce((a, b) => Math.max(a, b), 0);
  const step = roundStep(Math.max(most, share, random.limits[1]) / (width < 420 ? 3 : 5));
  const high = Math.min(1, step * Math.ceil(Math.max(most, share, random.limits[1]) / step));
  const counts = new Array(BINS).fill(0);
  for (const c of own) counts[Math.min(BINS - 1, Math.floor((c / high) * BINS))] += 1;
  const top = 10 ** Math.ceil(Math.log10(Math.max(...counts, 10)));
  const part = (count) => (count > 0 ? (Math.log10(count) + 0.3) / (Math.log10(top) + 0.3) : 0);
  const label = `Histogram of ${own.length} capacities from ${shown(own.reduce((a, b) => Math.min(a, b), Infinity))} to ${shown(most)}; an even share is ${shown(share)}.`;
  const { svg, x, y, text, line } = canvas(width, label, [0, high]);
  svg.append(band(x(random.limits[0]), y(1), x(Math.min(high, random.limits[1])), y(0)));
  for (let count = 1; count <= top; count *= 10) {
    svg.append(line(EDGE.left, y(part(count)), width - EDGE.right, y(part(count))));
    svg.append(text(count.toLocaleString("en"), EDGE.left - 6, y(part(count)) + 4, "end"));
  }
  counts.forEach((count, b) => {
    const [from, to] = [x((b * high) / BINS), x(((b + 1) * high) / BINS)];
    if (count) svg.append(make("svg:rect", { x: from + 0.5, y: y(part(count)), width: to - from - 1, height: y(0) - y(part(count)), fill: colors[1] }));
  });
  for (let value = 0; value <= high * 1.0001; value += step) {
    svg.append(text(shown(value, 2), x(value), HEIGHT - EDGE.bottom + 16));
  }
  if (share <= high) svg.append(line(x(share), y(0), x(share), y(1), "explorer-threshold"));
  svg.append(text("capacity", (EDGE.left + width) / 2, HEIGHT - 6), turned("features"));
  return svg;
}

// 1, 2 or 5 times a power of ten, not less than a number.
function roundStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return power * [1, 2, 5, 10].find((digit) => digit * power >= least * 0.9999);
}

function band(x0, y0, x1, y1) {
  return make("svg:rect", { class: "explorer-band", x: x0, y: y0, width: Math.max(1, x1 - x0), height: Math.max(1, y1 - y0) });
}

function turned(words) {
  return make("svg:text", { x: 0, y: 0, "text-anchor": "middle", transform: `translate(12 ${(HEIGHT - EDGE.bottom) / 2}) rotate(-90)` }, words);
}
