// A map of cells with logarithmic axes: importance across, and upward the probability, or what
// `up` names instead.
import { clip } from "./theory.js";
import { make, shown } from "./ui.js";

const BOX = { left: 54, right: 8, top: 8, bottom: 62 };
const MISSING = "#9aa5b1";

// The map to look at, point at, click, and move about in by arrow keys.  `onPick` and `onHover` hear
// of a cell, { row, column }; the latter of null as well.
export function heatMap({ ramp, onPick, onHover = () => {} }) {
  const canvas = make("canvas", { class: "explorer-map explorer-cells", tabindex: 0, role: "img" });
  // { values, importance, probability, scale, row, column }, and where the axes are others their
  // names `across` and `up`, their `marks`, and a `line` at one height.
  let now = null;

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
    drawLabels(pen, area);
    if (now.line) drawLine(pen, area);
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
    ticks(now.importance, now.marks?.[0]).forEach(([value, at]) => {
      pen.fillText(shown(value, 2), BOX.left + w * at, BOX.top + h + 5);
    });
    pen.fillText(now.across ?? "importance V of feature 1", BOX.left + w / 2, BOX.top + h + 20);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    ticks(now.probability, now.marks?.[1]).forEach(([value, at]) => {
      pen.fillText(shown(value, 2), BOX.left - 5, BOX.top + h - h * at);
    });
    pen.save();
    pen.translate(11, BOX.top + h / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(now.up ?? "probability p", 0, 0);
    pen.restore();
  }

  function drawScale(pen, { w, height }, ink) {
    const bar = { x: BOX.left + 22, y: height - 17, w: w - 60, h: 9 };
    for (let s = 0; s < bar.w; s++) {
      pen.fillStyle = ramp[Math.round((s / bar.w) * (ramp.length - 1))];
      pen.fillRect(bar.x + s, bar.y, 1.5, bar.h);
    }
    pen.strokeStyle = ink;
    pen.lineWidth = 0.5;
    pen.strokeRect(bar.x, bar.y, bar.w, bar.h);
    pen.lineWidth = 1;
    pen.fillStyle = ink;
    const [from, to] = now.scale === "difference" ? ["10⁻¹⁶", "1"] : ["0", "1"];
    pen.textAlign = "right";
    pen.fillText(from, bar.x - 4, bar.y + bar.h / 2);
    pen.textAlign = "left";
    pen.fillText(to, bar.x + bar.w + 5, bar.y + bar.h / 2);
  }

  function drawLine(pen, { w, h }) {
    const y = BOX.top + h * (1 - part(now.probability, now.line));
    pen.strokeStyle = "#fff";
    pen.lineWidth = 1.5;
    pen.setLineDash([6, 4]);
    pen.beginPath();
    pen.moveTo(BOX.left, y);
    pen.lineTo(BOX.left + w, y);
    pen.stroke();
    pen.setLineDash([]);
    pen.lineWidth = 1;
  }

  // Names of regions, each centered at a place of its own.
  function drawLabels(pen, { w, h }) {
    pen.font = "600 13px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    for (const { text, V, p, ink } of now.labels ?? []) {
      pen.fillStyle = ink;
      const at = [part(now.importance, V), part(now.probability, p)];
      text.split("\n").forEach((line, down) => {
        pen.fillText(line, BOX.left + w * at[0], BOX.top + h - h * at[1] + 16 * down);
      });
    }
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

// How far along the edge of the map a value is, from 0 to 1.
function part(values, x) {
  return (Math.log(x / values[0]) / Math.log(values[1] / values[0]) + 0.5) / values.length;
}

// Powers of ten within the range, or the marks that are given, and where they are.
function ticks(values, marks) {
  const found = [];
  for (let e = Math.ceil(Math.log10(values[0]) - 0.05); 10 ** e <= values.at(-1) * 1.05; e++) {
    found.push(10 ** e);
  }
  const places = (marks ?? found).map((value) => [value, part(values, value)]);
  return places.filter(([, at]) => at > -0.01 && at < 1.01);
}

// Place of the value nearest to a number, by ratio.
export function nearest(values, x) {
  const distance = values.map((value) => Math.abs(Math.log(value / x)));
  return distance.indexOf(Math.min(...distance));
}
