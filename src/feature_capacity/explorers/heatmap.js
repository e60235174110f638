// A map of cells with logarithmic axes: importance of feature 1 across, probability upward.
import { clip } from "./theory.js";
import { make, shown } from "./ui.js";

const BOX = { left: 54, right: 8, top: 8, bottom: 62 };
const MISSING = "#9aa5b1";

// The map to look at, point at, click, and move about in by arrow keys.  `onPick` and `onHover` hear
// of a cell, { row, column }; the latter of null as well.
export function heatMap({ ramp, onPick, onHover = () => {} }) {
  const canvas = make("canvas", { class: "explorer-map explorer-cells", tabindex: 0, role: "img" });
  let now = null; // { values, importance, probability, scale, row, column }

  function cellAt(event) {
    const place = canvas.getBoundingClientRect();
    const x = (event.clientX - place.left - BOX.left) / (place.width - BOX.left - BOX.right);
    const y = (event.clientY - place.top - BOX.top) / (place.height - BOX.top - BOX.bottom);
    if (x < 0 || x >= 1 || y < 0 || y >= 1) return null;
    const [rows, columns] = [now.probability.length, now.importance.length];
    return { column: Math.floor(x * columns), row: rows - 1 - Math.floor(y * rows) };
  }
  canvas.addEventListener("pointermove", (event) => {
    const cell = cellAt(event);
    onHover(cell);
    if (event.buttons && cell) onPick(cell);
  });
  canvas.addEventListener("pointerleave", () => onHover(null));
  canvas.addEventListener("pointerdown", (event) => {
    const cell = cellAt(event);
    if (cell) onPick(cell);
  });
  const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (!move) return;
    event.preventDefault();
    const inside = (at, length) => Math.min(length - 1, Math.max(0, at));
    onPick({
      row: inside(now.row + move[0], now.probability.length),
      column: inside(now.column + move[1], now.importance.length),
    });
  });

  // Capacities from 0 to 1; differences by their power of ten.
  function colorOf(x) {
    if (Number.isNaN(x)) return MISSING;
    const part = now.scale === "difference" ? (Math.log10(Math.max(x, 1e-16)) + 16) / 16 : x;
    return ramp[Math.round(clip(part) * (ramp.length - 1))];
  }

  function draw() {
    const width = canvas.clientWidth;
    if (!width || !now) return;
    const height = Math.round(width * 0.94) + 18;
    canvas.style.height = `${height}px`;
    const ratio = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const area = { w: width - BOX.left - BOX.right, h: height - BOX.top - BOX.bottom, height };
    const ink = getComputedStyle(canvas).color;
    drawCells(pen, area, ratio);
    pen.strokeStyle = ink;
    pen.strokeRect(BOX.left, BOX.top, area.w, area.h);
    pen.fillStyle = ink;
    pen.font = "12px system-ui, sans-serif";
    drawAxes(pen, area);
    drawScale(pen, area, ink);
    drawChosen(pen, area);
  }

  function drawCells(pen, { w, h }, ratio) {
    const [rows, columns] = [now.probability.length, now.importance.length];
    // Edges of cells on whole pixels, so that no seams show between them.
    const whole = (x) => Math.round(x * ratio) / ratio;
    const left = (c) => whole(BOX.left + (w * c) / columns);
    const top = (r) => whole(BOX.top + h - (h * (r + 1)) / rows);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        pen.fillStyle = colorOf(now.values[r * columns + c]);
        pen.fillRect(left(c), top(r), left(c + 1) - left(c), top(r - 1) - top(r));
      }
    }
  }

  function drawAxes(pen, { w, h }) {
    pen.textAlign = "center";
    pen.textBaseline = "top";
    ticks(now.importance).forEach(([value, at]) => {
      pen.fillText(shown(value, 2), BOX.left + w * at, BOX.top + h + 5);
    });
    pen.fillText("importance V of feature 1", BOX.left + w / 2, BOX.top + h + 20);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    ticks(now.probability).forEach(([value, at]) => {
      pen.fillText(shown(value, 2), BOX.left - 5, BOX.top + h - h * at);
    });
    pen.save();
    pen.translate(11, BOX.top + h / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText("probability p", 0, 0);
    pen.restore();
  }

  function drawScale(pen, { w, height }, ink) {
    const bar = { x: BOX.left + 22, y: height - 17, w: w - 60, h: 9 };
    for (let s = 0; s < bar.w; s++) {
      pen.fillStyle = ramp[Math.round((s / bar.w) * (ramp.length - 1))];
      pen.fillRect(bar.x + s, bar.y, 1.5, bar.h);
    }
    pen.fillStyle = ink;
    const [from, to] = now.scale === "difference" ? ["10⁻¹⁶", "1"] : ["0", "1"];
    pen.textAlign = "right";
    pen.fillText(from, bar.x - 4, bar.y + bar.h / 2);
    pen.textAlign = "left";
    pen.fillText(to, bar.x + bar.w + 5, bar.y + bar.h / 2);
  }

  // In black and white, so that it shows on every color.
  function drawChosen(pen, { w, h }) {
    const [rows, columns] = [now.probability.length, now.importance.length];
    const [across, up] = [w / columns, h / rows];
    const x = BOX.left + across * (now.column + 0.5);
    const y = BOX.top + h - up * (now.row + 0.5);
    const size = [Math.max(across, 7) + 2, Math.max(up, 7) + 2];
    for (const [color, thickness] of [["#000", 4], ["#fff", 2]]) {
      pen.strokeStyle = color;
      pen.lineWidth = thickness;
      pen.strokeRect(x - size[0] / 2, y - size[1] / 2, ...size);
    }
  }

  return {
    element: canvas,
    draw,
    show: (given, label) => {
      now = given;
      canvas.setAttribute("aria-label", label);
      draw();
    },
  };
}

// Powers of ten within the range, and where they are from 0 to 1 along the edge of the map.
function ticks(values) {
  const step = Math.log(values[1] / values[0]);
  const found = [];
  for (let e = Math.ceil(Math.log10(values[0]) - 0.05); 10 ** e <= values.at(-1) * 1.05; e++) {
    const at = (Math.log(10 ** e / values[0]) / step + 0.5) / values.length;
    if (at > -0.01 && at < 1.01) found.push([10 ** e, at]);
  }
  return found;
}

// Place of the value nearest to a number, by ratio.
export function nearest(values, x) {
  const distance = values.map((value) => Math.abs(Math.log(value / x)));
  return distance.indexOf(Math.min(...distance));
}
