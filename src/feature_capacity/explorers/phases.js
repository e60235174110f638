// Phase-diagram explorer: a map of cells, and the embedding behind each of them.

explorer("phases", (root, data, { changed }) => {
  const { axes, maps, importance, probability, kurtosis, shape, colors } = data;
  const [nRows, nColumns] = [probability.length, importance.length];
  const decoded = new Map();
  const state = { key: data.start.key, row: data.start.row, column: data.start.column };
  let hovered = null;

  // --------------------------------------------------------------------------------- the data
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  function current() {
    const map = maps.find(({ key }) => key.every((part, a) => part === state.key[a]));
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
      name: `${root.parentElement.id}-${name}`,
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

  const map = make("canvas", { class: "explorer-map explorer-cells", tabindex: 0, role: "img" });
  const readout = make("div", { class: "explorer-readout", "aria-live": "polite" });
  const space = vectorView({ colors });
  const spaceCaption = make("figcaption");
  const pairs = pairTable("Cosines between the features; frames: same block.");
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
        map,
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

  // ------------------------------------------------------------------------------ the map
  const box = { left: 54, right: 8, top: 8, bottom: 62 };
  function cellAt(event) {
    const place = map.getBoundingClientRect();
    const x = (event.clientX - place.left - box.left) / (place.width - box.left - box.right);
    const y = (event.clientY - place.top - box.top) / (place.height - box.top - box.bottom);
    if (x < 0 || x >= 1 || y < 0 || y >= 1) return null;
    return { column: Math.floor(x * nColumns), row: nRows - 1 - Math.floor(y * nRows) };
  }
  map.addEventListener("pointermove", (event) => {
    hovered = cellAt(event);
    if (event.buttons && hovered) update(hovered);
    else drawReadout();
  });
  map.addEventListener("pointerleave", () => {
    hovered = null;
    drawReadout();
  });
  map.addEventListener("pointerdown", (event) => {
    const cell = cellAt(event);
    if (cell) update(cell);
  });
  map.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [1, 0], ArrowDown: [-1, 0] }[event.key];
    if (!move) return;
    event.preventDefault();
    update({
      row: Math.min(nRows - 1, Math.max(0, state.row + move[0])),
      column: Math.min(nColumns - 1, Math.max(0, state.column + move[1])),
    });
  });

  // Color of a value: capacities from 0 to 1; differences by their power of ten.
  function colorOf(x, scale) {
    if (Number.isNaN(x)) return "#9aa5b1";
    const part = scale === "difference" ? (Math.log10(Math.max(x, 1e-16)) + 16) / 16 : x;
    return data.ramp[Math.round(clip(part) * (data.ramp.length - 1))];
  }

  function drawMap() {
    const width = map.clientWidth;
    if (!width) return;
    const height = Math.round(width * 0.94) + 18;
    map.style.height = `${height}px`;
    const ratio = window.devicePixelRatio || 1;
    [map.width, map.height] = [Math.round(width * ratio), Math.round(height * ratio)];
    const pen = map.getContext("2d");
    pen.scale(ratio, ratio);
    const ink = getComputedStyle(map).color;
    const { values, scale } = current();
    const [w, h] = [width - box.left - box.right, height - box.top - box.bottom];
    // Edges of cells on whole pixels, so that no seams show between them.
    const whole = (x) => Math.round(x * ratio) / ratio;
    const left = (c) => whole(box.left + (w * c) / nColumns);
    const top = (r) => whole(box.top + h - (h * (r + 1)) / nRows);
    for (let r = 0; r < nRows; r++) {
      for (let c = 0; c < nColumns; c++) {
        pen.fillStyle = colorOf(values[r * nColumns + c], scale);
        pen.fillRect(left(c), top(r), left(c + 1) - left(c), top(r - 1) - top(r));
      }
    }
    pen.strokeStyle = ink;
    pen.strokeRect(box.left, box.top, w, h);

    pen.fillStyle = ink;
    pen.font = "12px system-ui, sans-serif";
    pen.textAlign = "center";
    pen.textBaseline = "top";
    ticks(importance).forEach(([value, at]) => {
      pen.fillText(shown(value, 2), box.left + w * at, box.top + h + 5);
    });
    pen.fillText("importance V of feature 1", box.left + w / 2, box.top + h + 20);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    ticks(probability).forEach(([value, at]) => {
      pen.fillText(shown(value, 2), box.left - 5, box.top + h - h * at);
    });
    pen.save();
    pen.translate(11, box.top + h / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText("probability p", 0, 0);
    pen.restore();

    // What the colors mean.
    const bar = { x: box.left + 22, y: height - 17, w: w - 60, h: 9 };
    for (let s = 0; s < bar.w; s++) {
      pen.fillStyle = data.ramp[Math.round((s / bar.w) * (data.ramp.length - 1))];
      pen.fillRect(bar.x + s, bar.y, 1.5, bar.h);
    }
    pen.fillStyle = ink;
    const [from, to] = scale === "difference" ? ["10⁻¹⁶", "1"] : ["0", "1"];
    pen.textAlign = "right";
    pen.fillText(from, bar.x - 4, bar.y + bar.h / 2);
    pen.textAlign = "left";
    pen.fillText(to, bar.x + bar.w + 5, bar.y + bar.h / 2);

    // The chosen cell, in black and white so that it shows on every color.
    const size = [Math.max(w / nColumns, 7), Math.max(h / nRows, 7)];
    const middle = [left(state.column) + w / nColumns / 2, top(state.row) + h / nRows / 2];
    for (const [color, thickness] of [["#000", 4], ["#fff", 2]]) {
      pen.strokeStyle = color;
      pen.lineWidth = thickness;
      pen.strokeRect(middle[0] - size[0] / 2 - 1, middle[1] - size[1] / 2 - 1, size[0] + 2, size[1] + 2);
    }
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
    const blockOf = W.map((_, i) => {
      const at = found.findIndex(({ features: members }) => members.includes(i));
      return at < 0 ? null : at;
    });
    blocksLine.textContent = describeBlocks(found, W.length);
    space.show(turned, { main: 0, label: `Embedding vectors. ${blocksLine.textContent}` });
    const dims = here.shape[0];
    spaceCaption.textContent =
      (dims > 3 ? `The first three of ${dims} dimensions, those of feature 1 first. ` : "") +
      (dims > 2 ? "Drag, or use the arrow keys, to turn." : "");
    pairs.show(cosines(W), blockOf);
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
    map.setAttribute(
      "aria-label",
      `Map of ${here.scale === "difference" ? "the difference" : "the capacity of feature 1"} for ${state.key.join(", ")}; chosen: importance ${V}, probability ${p}.`,
    );
    drawMap();
    drawReadout();
  }

  function pick(axis, value) {
    const wanted = state.key.map((part, a) => (a === axis ? value : part));
    const same = ({ key }) => key.filter((part, a) => part === wanted[a]).length;
    const best = maps.filter(({ key }) => key[axis] === value).sort((a, b) => same(b) - same(a))[0];
    update({ key: best.key });
  }

  function update(change) {
    Object.assign(state, change);
    draw();
    changed({
      ...Object.fromEntries(axes.map(({ name }, a) => [name, state.key[a]])),
      V: shownExactly(importance[state.column]),
      p: shownExactly(probability[state.row]),
    });
  }
  const shownExactly = (x) => Number(x.toPrecision(6));

  function read(given) {
    const wanted = axes.map(({ name }, a) => given[name] ?? state.key[a]);
    const found = maps.find(({ key }) => key.every((part, a) => part === wanted[a]));
    if (found) state.key = found.key;
    const nearest = (values, text, otherwise) => {
      const x = Number(text);
      if (!(x > 0)) return otherwise;
      const distance = values.map((value) => Math.abs(Math.log(value / x)));
      return distance.indexOf(Math.min(...distance));
    };
    state.column = nearest(importance, given.V, state.column);
    state.row = nearest(probability, given.p, state.row);
    draw();
  }

  draw();
  return { read, draw: () => (drawMap(), space.draw()) };
});
