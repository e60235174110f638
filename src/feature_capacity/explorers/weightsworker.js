// Reads and measures a file beside the page, so that the page stays alive.
import { measure } from "./measuring.js";
import { Refusal, matrixOf, tensorsIn } from "./tensorfiles.js";

let tensors = [];

async function answer({ task, file, tensor, index, features, where }) {
  if (task === "open") {
    tensors = await tensorsIn(file, file.name);
    return { tensors: tensors.map(({ name, shape, kind }) => ({ name, shape, kind })) };
  }
  let told = 0;
  const progress = (part) => {
    if (part - told < 0.01) return;
    told = part;
    postMessage({ task: "progress", part });
  };
  return measure(matrixOf(tensors[tensor], index, where), features, where, progress);
}

async function reply(data) {
  try {
    postMessage({ task: data.task, silent: data.silent, result: await answer(data) });
  } catch (error) {
    const memory = error instanceof RangeError || /memory|allocation/i.test(error?.message ?? "");
    const sentence = error instanceof Refusal ? error.message
      : memory ? "This takes more memory than a page may have; feature-capacity capacity FILE does it on your machine."
      : `${data.where ?? data.file?.name} cannot be read: ${error?.message ?? error}.`;
    postMessage({ task: "refused", sentence });
  }
}

// One after the other: a file is opened before a tensor of it is measured.
let last = Promise.resolve();
onmessage = ({ data }) => (last = last.then(() => reply(data)));
