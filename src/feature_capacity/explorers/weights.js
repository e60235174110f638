// Weights explorer: the capacity of features in a file of the reader's, measured in the page.
import { frame, group } from "./frame.js";
import { capacityBars, capacityHistogram } from "./shares.js";
import { summarize } from "./summary.js";
import { PHASES, button, choice, make, shown } from "./ui.js";

const EXAMPLE = { rows: 2, columns: 3, numbers: [1, -1, 0, 0, 0, 2], name: "example.npy" };
const counted = (n, word) => `${n.toLocaleString("en")} ${word}${n === 1 ? "" : "s"}`;
const times = (shape) => shape.join(" x ");

function render({ model, el }) {
  const { root, announce } = frame(el);
  const data = model.get("data");
  const worker = startWorker(data.worker, hear);
  let file = null;
  let tensors = [];
  let asked = null; // what is being measured, or was last

  // ---------------------------------------------------------------------------- the controls
  const input = make("input", {
    type: "file",
    accept: ".npy,.npz,.safetensors",
    "aria-label": "a file of weights: .npy, .npz or .safetensors",
    onclick: () => (input.value = ""), // a file that was written anew may be chosen again
    onchange: () => input.files[0] && open(input.files[0]),
  });
  const drop = make(
    "div",
    {
      class: "explorer-drop",
      ondragover: (event) => {
        event.preventDefault();
        drop.classList.add("explorer-over");
      },
      ondragleave: () => drop.classList.remove("explorer-over"),
      ondrop: (event) => {
        event.preventDefault();
        drop.classList.remove("explorer-over");
        if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
      },
    },
    make("p", {}, "Drop a file here, or choose one: .npy, .npz or .safetensors. It is read on your machine, and nothing is sent."),
    input,
    button("Try an example", () => open(exampleFile())),
  );
  const tensor = make("select", { "aria-label": "tensor", onchange: () => choose(Number(tensor.value)) });
  const tensorLabel = make("label", { class: "explorer-choose" }, "tensor", tensor);
  const instance = make("input", { type: "number", "aria-label": "instance", min: 0, step: 1, value: 0, onchange: () => start() });
  const instanceLabel = make("label", { class: "explorer-choose" }, "instance", instance);
  const axis = choice({
    label: "Features are the",
    name: group(),
    options: [{ value: "rows", text: "rows" }, { value: "columns", text: "columns" }],
    onChange: (value) => start(value),
  });
  const choices = make("div", { class: "explorer-bar", hidden: true }, tensorLabel, instanceLabel, axis.element);
  const bar = make("progress", { max: 1, "aria-label": "how much is measured" });
  const running = make("div", { class: "explorer-bar", hidden: true }, bar, button("Stop", stop));
  const report = make("div", { class: "explorer-report" });
  root.append(drop, choices, running, report);

  // ------------------------------------------------------------------------- file and tensor
  function open(chosen) {
    worker.restart();
    file = chosen;
    choices.hidden = true;
    report.replaceChildren();
    announce(`Opening ${file.name}.`);
    worker.ask({ task: "open", file });
  }

  function opened(found) {
    tensors = found;
    const optimizer = new RegExp(data.optimizer, "i");
    const last = tensors.map(({ name }) => optimizer.test(name));
    const able = [...tensors.keys()].filter((i) => tensors[i].shape.length >= 2);
    able.sort((i, j) => last[i] - last[j] || i - j);
    if (able.length === 0) return refuse(`${file.name} holds no matrix.`);
    const options = able.map((i) =>
      make("option", { value: i }, `${tensors[i].name || file.name} (${times(tensors[i].shape)}, ${tensors[i].kind})`),
    );
    if (able.length > 1) options.unshift(make("option", { value: "", disabled: true, selected: true }, `choose one of ${able.length}`));
    tensor.replaceChildren(...options);
    choices.hidden = false;
    instanceLabel.hidden = true;
    axis.set(null);
    axis.enable([]);
    if (able.length === 1) choose(able[0]);
    else announce(`${file.name} holds ${counted(able.length, "matrix").replace("matrixs", "matrices")}. Choose one.`);
    return undefined;
  }

  function choose(number) {
    asked = { tensor: number, ...orient(tensors, number, data) };
    const batch = tensors[number].shape.slice(0, -2).reduce((product, n) => product * n, 1);
    instanceLabel.hidden = batch === 1;
    instance.max = batch - 1;
    instance.value = 0;
    axis.enable(["rows", "columns"]);
    start();
  }

  function start(features) {
    if (features) asked = { ...asked, features, why: "as chosen", remark: "" };
    axis.set(asked.features);
    const last = Number(instance.max);
    const index = Math.min(last, Math.max(0, Math.round(Number(instance.value) || 0)));
    instance.value = index;
    const { name, shape } = tensors[asked.tensor];
    const which = shape.length > 2 ? ` [${index}]` : "";
    asked = { ...asked, index, where: `${[file.name, name].filter(Boolean).join(", ")}${which}` };
    report.replaceChildren();
    bar.value = 0;
    running.hidden = false;
    announce(`Measuring ${asked.where}.`);
    if (worker.busy()) {
      worker.restart();
      worker.ask({ task: "open", file, silent: true });
    }
    worker.ask({ task: "measure", ...asked });
  }

  function stop() {
    worker.restart();
    worker.ask({ task: "open", file, silent: true });
    running.hidden = true;
    announce("Stopped.");
  }

  function hear({ task, result, part, sentence, silent }) {
    if (task === "progress") bar.value = part;
    else if (task === "refused") refuse(sentence);
    else if (task === "open" && !silent) opened(result.tensors);
    else if (task === "measure") show(result);
  }

  function refuse(sentence) {
    running.hidden = true;
    report.replaceChildren(make("p", { class: "explorer-refusal", role: "alert" }, sentence));
    announce("");
  }

  // ------------------------------------------------------------------------------ the report
  function show(found) {
    running.hidden = true;
    const facts = summarize(found, data.tolerance);
    report.replaceChildren(
      make("p", { class: "explorer-source" }, sentence(facts)),
      ...(asked.remark ? [make("p", { class: "explorer-note explorer-remark" }, asked.remark)] : []),
      make("dl", { class: "explorer-facts" }, ...lines(facts, data.meanings).flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)])),
      make("figure", { class: "explorer-figure" }, picture(facts), make("figcaption", {}, caption(facts))),
      make("div", { class: "explorer-pair" }, extremes(facts, "Most capacity", facts.greatest), extremes(facts, "Least capacity", facts.least)),
      make("p", { class: "explorer-note" }, data.more),
      make("div", { class: "explorer-bar" }, button("Save all as CSV", () => save(facts))),
    );
    report.dataset.total = facts.total;
    announce(`Measured: total capacity ${shown(facts.total, 4)} of ${counted(facts.d, "dimension")}.`);
  }

  function sentence({ n, d }) {
    const { shape } = tensors[asked.tensor];
    return `${asked.where}, ${times(shape)}: ${counted(n, "feature")} in ${counted(d, "dimension")}; features are the ${asked.features} (${asked.why})`;
  }

  function picture(facts) {
    const draw = facts.n <= data.few ? capacityBars : capacityHistogram;
    return draw(facts, data.phases, Math.max(280, root.clientWidth));
  }

  function save({ capacity, length, phase }) {
    const rows = [...phase].map((p, i) => (p < 0 ? `${i},0,,left out` : `${i},${length[i]},${capacity[i]},${PHASES[p]}`));
    const text = ["feature,length,capacity,phase", ...rows, ""].join("\n");
    const link = make("a", { download: `${file.name}-capacity.csv`, href: URL.createObjectURL(new Blob([text], { type: "text/csv" })) });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  return worker.end;
}

// A worker from its source: a page opened from a disk may not load one from another file.
function startWorker(source, hear) {
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  let worker = null;
  let waiting = 0;
  const restart = () => {
    worker?.terminate();
    waiting = 0;
    worker = new Worker(address);
    worker.onmessage = ({ data }) => {
      if (data.task !== "progress") waiting -= 1;
      hear(data);
    };
  };
  return {
    restart,
    busy: () => waiting > 0,
    ask: (task) => {
      waiting += 1;
      worker.postMessage(task);
    },
    end: () => {
      worker?.terminate();
      URL.revokeObjectURL(address);
    },
  };
}

// A small .npy file: an antipodal pair, and a feature of its own.
function exampleFile() {
  const { rows, columns, numbers, name } = EXAMPLE;
  const header = `{'descr': '<f8', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`.padEnd(117) + "\n";
  const before = new Uint8Array([0x93, ...[..."NUMPY"].map((c) => c.charCodeAt(0)), 1, 0, header.length, 0]);
  return new File([before, header, new Float64Array(numbers)], name);
}

// Which axis is features, by the layouts that the package knows.
function orient(tensors, number, { layouts, bias, toyModel }) {
  const { name, shape } = tensors[number];
  const [rows, columns] = shape.slice(-2);
  if (name.split(".").at(-1) === "W" && rows !== columns) {
    const length = tensors.find((one) => one.name === name.slice(0, -1) + bias)?.shape.at(-1);
    if (length === rows || length === columns) {
      return { features: length === rows ? "rows" : "columns", why: `the layout of ${toyModel}`, remark: "" };
    }
  }
  for (const { names, features, what } of layouts) {
    if (new RegExp(`(^|[./])(${names})$`).test(name)) return { features, why: `the layout of ${what}`, remark: "" };
  }
  const remark = rows > columns ? "There are more rows than columns; where features are rows, say so above." : "";
  return { features: "columns", why: "the rule where nothing else is known", remark };
}

function lines({ n, d, total, counts, quantiles, zero, bad, random, share, statistics }, meanings) {
  const [low, middle, high] = quantiles.map((x) => shown(x));
  const [from, to] = random.limits.map((x) => shown(x));
  const facts = [
    ["total capacity", `${shown(total, 4)} of ${counted(d, "dimension")} (${shown((100 * total) / d)} %)`],
    ["each feature", `least ${low}, median ${middle}, most ${high}; an even share is ${shown(share)}`],
    ["at random", `${from} to ${to} in nine of ten, mean ${shown(random.mean)}, for unit vectors in random directions`],
    ["phases", PHASES.map((name, p) => `${counts[p].toLocaleString("en")} ${name}`).join(", ")],
  ];
  if (zero) facts.push(["zero vectors", `${zero.toLocaleString("en")}, among the ignored`]);
  if (bad.length) {
    const which = bad.slice(0, 5).join(", ") + (bad.length > 5 ? ", …" : "");
    facts.push(["not finite", `${counted(bad.length, "feature")} of ${n.toLocaleString("en")}, left out: ${which}`]);
  }
  for (const [name, meaning] of Object.entries(meanings)) {
    facts.push([name.replaceAll("_", " "), `${shown(statistics[name], 4)}: ${meaning}`]);
  }
  return facts;
}

const caption = ({ n }) =>
  `Capacities of ${counted(n, "feature")}. Dashed: an even share of the dimensions. Shaded: nine of ten unit vectors in random directions.`;

function extremes({ capacity, length }, title, features) {
  const cell = (text) => make("td", {}, text);
  return make(
    "table",
    { class: "explorer-features" },
    make("caption", {}, title),
    make("thead", {}, make("tr", {}, ...["feature", "capacity", "length"].map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...features.map((i) => make("tr", {}, cell(String(i)), cell(shown(capacity[i], 4)), cell(shown(length[i], 4))))),
  );
}

const explorer = { render, address: { kind: "weights" } };
export default explorer;
