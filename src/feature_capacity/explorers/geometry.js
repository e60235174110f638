// Geometry explorer: any capacities that spend the budget, and an embedding that has them.

explorer("geometry", (root, data, { changed, announce }) => {
  const { colors, presets, limits, tolerance } = data;
  const state = structuredClone(data.state); // { capacity, held, step, member }
  let rows = [];
  let playing = null;
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  const presetBar = make(
    "div",
    { class: "explorer-bar" },
    make("span", { class: "explorer-label" }, "Begin with"),
    ...presets.map(({ name, capacity }) =>
      button(name, () => update({ capacity: [...capacity], held: capacity.map(() => false), step: Infinity, member: 0 })),
    ),
  );
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
    update({ step: Infinity, member: state.member + 1 });
  });
  const sentence = make("p", { class: "explorer-summary", "aria-live": "polite" });
  const space = vectorView({ colors });
  const spaceCaption = make("figcaption");
  const pairs = pairTable("Cosines between the features; frames: same block.");
  const matrix = make("table", { class: "explorer-pairs explorer-matrix" });

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
      make(
        "div",
        {},
        make("figure", { class: "explorer-figure" }, matrix, make("figcaption", {}, "The matrix W: a row for each neuron, a column for each feature. WWᵀ = I at every stage.")),
        pairs.element,
      ),
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
    update({ capacity: next, step: Infinity, member: 0 });
  }

  // The matrix at this stage of the film, or another member of the family at its end.
  function matrixNow(steps) {
    const W = afterRotations(steps, state.step);
    if (state.member === 0 || state.step < steps.steps.length) return W;
    return mixColumns(W, randomNumbers(state.member));
  }

  function draw() {
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
    const blockOf = W.map((_, i) => {
      const at = found.findIndex(({ features }) => features.includes(i));
      return at < 0 ? null : at;
    });
    pairs.show(cosines(W), blockOf);
    matrix.replaceChildren(
      make(
        "tbody",
        {},
        make("tr", {}, make("td"), ...W.map((_, i) => make("th", { scope: "col" }, i + 1))),
        ...W[0].map((_, a) =>
          make(
            "tr",
            {},
            make("th", { scope: "row" }, a + 1),
            ...W.map((w) => {
              const [color, ink] = diverging(w[a]);
              const text = Math.abs(w[a]) < 0.005 ? "0" : w[a].toFixed(2).replace("-", "−").replace("0.", ".");
              return make("td", { style: `background:${color};color:${ink}` }, text);
            }),
          ),
        ),
      ),
    );
    root.dataset.matrix = JSON.stringify(W);
    root.dataset.blocks = JSON.stringify(found.map(({ features }) => features));
    play.textContent = playing ? "Pause" : "Play";
  }

  // ---------------------------------------------------------------------------------- the film
  function start() {
    const total = rotationSteps(state.capacity).steps.length;
    if (!total) return;
    if (state.step >= total) state.step = 0;
    state.member = 0;
    let before = null;
    const frame = (now) => {
      if (!playing) return;
      // Without motion, whole rotations one after the other.
      const pace = still.matches ? 0 : (now - (before ?? now)) / 1200;
      before = now;
      state.step = Math.min(total, state.step + pace);
      draw();
      if (state.step >= total) stop();
      else playing = requestAnimationFrame(frame);
    };
    if (still.matches) {
      state.step = Math.floor(state.step) + 1;
      draw();
      return;
    }
    playing = requestAnimationFrame(frame);
    draw();
  }

  function stop() {
    if (!playing) return;
    cancelAnimationFrame(playing);
    playing = null;
    draw();
    write();
  }

  // ------------------------------------------------------------------------------- the state
  function write() {
    const held = state.held.flatMap((h, i) => (h ? [i + 1] : []));
    changed({
      c: state.capacity.map((c) => Number(c.toPrecision(12))).join(","),
      ...(held.length ? { held: held.join(",") } : {}),
      ...(state.step < rotationSteps(state.capacity).steps.length ? { step: shown(state.step, 4) } : {}),
      ...(state.member ? { member: state.member } : {}),
    });
  }

  function update(change) {
    Object.assign(state, change);
    draw();
    write();
  }

  function read({ c, held, step, member }) {
    const capacity = numbersIn(c);
    if (capacity && capacity.length >= 2 && capacity.length <= limits.features) {
      const total = sum(capacity);
      const whole = Math.round(total);
      const good = capacity.every((x) => x >= 0 && x <= 1) && Math.abs(total - whole) < 1e-6;
      if (good && whole >= 1 && whole <= limits.dims) state.capacity = capacity;
      else announce(`The capacities in the address must lie in [0, 1] and sum to 1, 2 or ${limits.dims}.`);
    }
    const marked = numbersIn(held) ?? [];
    state.held = state.capacity.map((_, i) => marked.includes(i + 1));
    state.step = within(step, 0, 1e9, Infinity);
    state.member = Math.round(within(member, 0, 1e6, 0));
    draw();
  }

  draw();
  return { read, draw: space.draw };
});
