import { make } from "./ui.js";

// Embedding vectors as arrows, seen from a direction that the reader turns by dragging or with the
// arrow keys.  One or two coordinates lie flat, three turn; of more the first three are shown.
export function vectorView({ colors }) {
  let columns = [];
  let style = {};
  const view = { turn: 0.6, tilt: 0.45 };
  const canvas = make("canvas", {
    class: "explorer-space",
    tabindex: 0,
    role: "img",
    "aria-label": "Embedding vectors",
  });
  let grabbed = null;
  canvas.addEventListener("pointerdown", (event) => {
    grabbed = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!grabbed) return;
    view.turn += (event.clientX - grabbed[0]) * 0.01;
    view.tilt = Math.min(1.5, Math.max(-1.5, view.tilt + (event.clientY - grabbed[1]) * 0.01));
    grabbed = [event.clientX, event.clientY];
    draw();
  });
  for (const end of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(end, () => (grabbed = null));
  }
  canvas.addEventListener("keydown", (event) => {
    const [turn, tilt] =
      { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[
        event.key
      ] ?? [];
    if (turn === undefined) return;
    event.preventDefault();
    view.turn += turn;
    view.tilt = Math.min(1.5, Math.max(-1.5, view.tilt + tilt));
    draw();
  });

  function project(w) {
    const [x, y = 0, z] = w;
    if (z === undefined) return [x, y, 0];
    const [cos, sin] = [Math.cos(view.turn), Math.sin(view.turn)];
    const across = cos * x - sin * y;
    const depth = sin * x + cos * y;
    const [up, down] = [Math.cos(view.tilt), Math.sin(view.tilt)];
    return [across, up * z - down * depth, up * depth + down * z];
  }

  function draw() {
    const size = canvas.clientWidth;
    if (!size || !columns.length) return;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = canvas.height = Math.round(size * ratio);
    const pen = canvas.getContext("2d");
    const ink = getComputedStyle(canvas).color;
    pen.scale(ratio, ratio);
    pen.translate(size / 2, size / 2);
    const longest = style.longest || Math.max(1e-9, ...columns.map((w) => Math.hypot(...w)));
    const scale = (0.4 * size) / longest;
    const reach = 1.08 * longest;
    const flat = columns[0].length < 3;

    pen.font = `600 ${Math.max(11, size / 26)}px system-ui, sans-serif`;
    pen.textAlign = "center";
    pen.textBaseline = "middle";
    const line = (from, to, width, color, dash = []) => {
      pen.beginPath();
      pen.setLineDash(dash);
      pen.moveTo(from[0] * scale, -from[1] * scale);
      pen.lineTo(to[0] * scale, -to[1] * scale);
      pen.lineWidth = width;
      pen.strokeStyle = color;
      pen.stroke();
      pen.setLineDash([]);
    };
    pen.globalAlpha = 0.35;
    for (let axis = 0; axis < Math.min(3, columns[0].length); axis++) {
      const end = columns[0].map((_, a) => (a === axis ? reach : 0));
      line(project(end.map((x) => -x)), project(end), 1, ink, [2, 4]);
    }
    pen.globalAlpha = 1;
    // Far ones first, so that near ones lie on top.
    const order = columns.map((w, i) => ({ i, tip: project(w) }));
    if (!flat) order.sort((a, b) => b.tip[2] - a.tip[2]);
    for (const { i, tip } of order) {
      const length = Math.hypot(...columns[i]);
      if (length < 0.03 * longest) continue; // it lies in the dimensions that are not shown
      const main = i === style.main;
      const near = flat ? 1 : 0.65 + 0.35 * (0.5 - tip[2] / (2 * longest));
      pen.globalAlpha = near;
      line([0, 0], tip, main ? 4 : 2.6, colors[i % colors.length]);
      const [x, y] = [tip[0] * scale, -tip[1] * scale];
      pen.beginPath();
      pen.arc(x, y, main ? 6 : 4.2, 0, 2 * Math.PI);
      pen.fillStyle = colors[i % colors.length];
      pen.fill();
      pen.globalAlpha = 1;
    }
    pen.fillStyle = ink;
    const tips = order
      .filter(({ i }) => Math.hypot(...columns[i]) >= 0.03 * longest)
      .map(({ i, tip }) => ({ names: [i + 1], x: tip[0] * scale, y: -tip[1] * scale }));
    for (const { text, x, y } of placedLabels(tips, size)) pen.fillText(text, x, y);
  }

  return {
    element: canvas,
    draw,
    show: (W, { main, longest, label } = {}) => {
      columns = W.map((w) => w.slice(0, 3));
      style = { main, longest };
      canvas.setAttribute("aria-label", label ?? "Embedding vectors");
      canvas.classList.toggle("explorer-turns", columns.length > 0 && columns[0].length > 2);
      draw();
    },
  };
}

// Numbers beyond the tips.  Tips in the same place get one label; where two labels would touch, the
// later one goes around its tip until it has room.
export function placedLabels(tips, size) {
  const apart = [];
  for (const tip of tips) {
    const same = apart.find((other) => Math.hypot(other.x - tip.x, other.y - tip.y) < 5);
    if (same) same.names.push(...tip.names);
    else apart.push({ ...tip, names: [...tip.names] });
  }
  const push = Math.max(13, size / 24);
  const placed = [];
  for (const { names, x, y } of apart) {
    const text = names.sort((a, b) => a - b).join(", ");
    const half = push * (0.5 + 0.28 * (text.length - 1)); // about half the width of the words
    const outward = Math.hypot(x, y) > 4 ? Math.atan2(y, x) : 0;
    const free = (at) =>
      placed.every((o) => Math.abs(o.x - at.x) > half + o.half || Math.abs(o.y - at.y) > push) &&
      apart.every((o) => Math.hypot(o.x - at.x, o.y - at.y) > 0.6 * push);
    const tries = [0, 0.5, -0.5, 1, -1, 1.5, -1.5, 2, -2].map((turn) => ({
      x: x + Math.cos(outward + turn) * (push + half - 0.5 * push),
      y: y + Math.sin(outward + turn) * push,
    }));
    placed.push({ text, half, ...(tries.find(free) ?? tries[0]) });
  }
  return placed;
}
