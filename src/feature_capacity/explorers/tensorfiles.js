// Which tensors a file holds, and blocks of their numbers; for a worker, which may wait for a disk.
// Nothing is read but headers and the blocks asked for.

const BYTES = { F16: 2, BF16: 2, F32: 4, F64: 8 };
const NUMPY = { f2: "F16", f4: "F32", f8: "F64" };
const LONGEST_HEADER = 100e6; // what the format of safetensors allows
const MOST_UNPACKED = 2e9;

// What is wrong with a file, as a sentence for its owner.
export class Refusal extends Error {}

export const bytesAt = (blob, start, stop) =>
  new FileReaderSync().readAsArrayBuffer(blob.slice(start, stop));

// Every tensor of a file: name, shape, kind of its numbers, and where they begin.
export async function tensorsIn(blob, name) {
  if (blob.size === 0) throw new Refusal(`${name} is empty.`);
  const first = new Uint8Array(bytesAt(blob, 0, Math.min(blob.size, 256)));
  const text = String.fromCharCode(...first);
  if (text.startsWith("\x93NUMPY")) return [numpyArray(blob, "", name)];
  if (text.startsWith("PK")) return zipped(blob, name);
  if (text.startsWith("version https://git-lfs")) {
    throw new Refusal(`${name} is a pointer to a file that was not downloaded; fetch the file itself.`);
  }
  return safetensors(blob, name);
}

function safetensors(blob, name) {
  const whole = `${name} is no whole .npy, .npz or .safetensors file.`;
  if (blob.size < 8) throw new Refusal(whole);
  const length = Number(new DataView(bytesAt(blob, 0, 8)).getBigUint64(0, true));
  if (length > LONGEST_HEADER || 8 + length > blob.size) throw new Refusal(whole);
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesAt(blob, 8, 8 + length)));
  } catch {
    throw new Refusal(whole);
  }
  delete header.__metadata__;
  return Object.entries(header).map(([tensor, { dtype, shape, data_offsets: at }]) => {
    const size = shape.reduce((product, n) => product * n, BYTES[dtype] ?? 0);
    const cut = 8 + length + at[1] > blob.size;
    if (cut || (dtype in BYTES && at[1] - at[0] !== size)) throw new Refusal(`${name} ends before ${tensor} does.`);
    return { name: tensor, shape, kind: dtype, blob, offset: 8 + length + at[0], turned: false, swapped: false };
  });
}

// One array of NumPy; a header says what kind of numbers follow, and in which order.
function numpyArray(blob, tensor, name) {
  const start = new DataView(bytesAt(blob, 0, Math.min(blob.size, 12)));
  const whole = `${name} is not a whole NumPy file.`;
  if (start.byteLength < 12) throw new Refusal(whole);
  const old = start.getUint8(6) === 1;
  const length = old ? start.getUint16(8, true) : start.getUint32(8, true);
  const offset = (old ? 10 : 12) + length;
  if (offset > blob.size || length > LONGEST_HEADER) throw new Refusal(whole);
  const header = new TextDecoder().decode(bytesAt(blob, offset - length, offset));
  const kind = /'descr':\s*'([<>|=]?)([a-zA-Z]\d*)'/.exec(header);
  const order = /'fortran_order':\s*(True|False)/.exec(header);
  const sizes = /'shape':\s*\(([\d, ]*)\)/.exec(header);
  if (!order || !sizes) throw new Refusal(whole);
  const shape = sizes[1].split(",").filter((n) => n.trim()).map(Number);
  const found = {
    name: tensor, shape, kind: NUMPY[kind?.[2]] ?? kind?.[2] ?? "several fields",
    blob, offset, turned: order[1] === "True" && shape.length > 1, swapped: kind?.[1] === ">",
  };
  const size = shape.reduce((product, n) => product * n, BYTES[found.kind] ?? 0);
  if (offset + size > blob.size) throw new Refusal(whole);
  return found;
}

// The arrays in an archive of NumPy; one that is packed is unpacked as a whole.
async function zipped(blob, name) {
  const whole = `${name} is not a whole archive.`;
  const tail = new DataView(bytesAt(blob, Math.max(0, blob.size - 65557), blob.size));
  let end = tail.byteLength - 22;
  while (end >= 0 && tail.getUint32(end, true) !== 0x06054b50) end -= 1;
  if (end < 0) throw new Refusal(whole);
  let [number, place] = [tail.getUint16(end + 10, true), tail.getUint32(end + 16, true)];
  if (place === 0xffffffff) throw new Refusal(`${name} is larger than 4 GB; save its matrix as .npy.`);
  const found = [];
  const list = new DataView(bytesAt(blob, place, blob.size));
  for (let at = 0; number > 0; number -= 1) {
    if (at + 46 > list.byteLength || list.getUint32(at, true) !== 0x02014b50) throw new Refusal(whole);
    const [packed, size, full] = [list.getUint16(at + 10, true), list.getUint32(at + 20, true), list.getUint32(at + 24, true)];
    const [named, extra, note] = [28, 30, 32].map((shift) => list.getUint16(at + shift, true));
    const entry = new TextDecoder().decode(new Uint8Array(list.buffer, at + 46, named));
    const from = list.getUint32(at + 42, true);
    at += 46 + named + extra + note;
    if (/(^|\/)data\.pkl$/.test(entry)) {
      throw new Refusal(`${name} is a file of torch, which takes Python to read; save its tensors as .safetensors.`);
    }
    if (!entry.endsWith(".npy")) continue;
    const local = new DataView(bytesAt(blob, from, from + 30));
    const begin = from + 30 + local.getUint16(26, true) + local.getUint16(28, true);
    const inside = blob.slice(begin, begin + size);
    const array = packed ? await unpacked(inside, full, `${entry} in ${name}`) : inside;
    found.push(numpyArray(array, entry.slice(0, -4), `${entry} in ${name}`));
  }
  return found;
}

async function unpacked(blob, size, name) {
  if (size > MOST_UNPACKED) throw new Refusal(`${name} is too large to be unpacked here; save it as .npy.`);
  try {
    return await new Response(blob.stream().pipeThrough(new DecompressionStream("deflate-raw"))).blob();
  } catch {
    throw new Refusal(`${name} cannot be unpacked; it is damaged or packed in another way.`);
  }
}

// A matrix of a tensor: reads blocks of rows and columns as float64, row by row.
export function matrixOf(tensor, index, where) {
  const { shape, kind } = tensor;
  if (!(kind in BYTES)) {
    throw new Refusal(`${where} holds ${kind}; only floating-point numbers (float16, bfloat16, float32, float64) are measured here.`);
  }
  if (tensor.turned && shape.length > 2) throw new Refusal(`${where} is a batch in Fortran order; save it in C order.`);
  let [rows, columns] = shape.slice(-2);
  if (rows === 0 || columns === 0) throw new Refusal(`${where} is an empty matrix.`);
  const size = BYTES[kind];
  const offset = tensor.offset + index * rows * columns * size;
  if (tensor.turned) [rows, columns] = [columns, rows];
  const stretch = (start, count) =>
    numbers(bytesAt(tensor.blob, offset + start * size, offset + (start + count) * size), kind, tensor.swapped);
  const stored = (r0, r1, c0, c1) => {
    const wide = c1 - c0;
    if (wide === columns) return stretch(r0 * columns, (r1 - r0) * columns);
    const block = new Float64Array((r1 - r0) * wide);
    for (let r = r0; r < r1; r += 1) block.set(stretch(r * columns + c0, wide), (r - r0) * wide);
    return block;
  };
  if (!tensor.turned) return { rows, columns, block: stored };
  const block = (r0, r1, c0, c1) => transposed(stored(c0, c1, r0, r1), c1 - c0, r1 - r0);
  return { rows: columns, columns: rows, block };
}

export function transposed(block, rows, columns) {
  const turned = new Float64Array(block.length);
  for (let r = 0; r < rows; r += 1) {
    for (let c = 0; c < columns; c += 1) turned[c * rows + r] = block[r * columns + c];
  }
  return turned;
}

function numbers(buffer, kind, swapped) {
  if (swapped) swap(new Uint8Array(buffer), BYTES[kind]);
  if (kind === "F64") return new Float64Array(buffer);
  if (kind === "F32") return Float64Array.from(new Float32Array(buffer));
  const halves = new Uint16Array(buffer);
  const wide = new Float64Array(halves.length);
  const table = kind === "F16" ? (halfTable ??= allHalves()) : null;
  if (table) for (let i = 0; i < halves.length; i += 1) wide[i] = table[halves[i]];
  else {
    const bits = new Uint32Array(1);
    const value = new Float32Array(bits.buffer);
    for (let i = 0; i < halves.length; i += 1) {
      bits[0] = halves[i] << 16; // a bfloat16 is the upper half of a float32
      wide[i] = value[0];
    }
  }
  return wide;
}

function swap(bytes, size) {
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
}

let halfTable;
function allHalves() {
  return Float64Array.from({ length: 65536 }, (_, bits) => {
    const [sign, exponent, rest] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
    if (exponent === 31) return rest ? NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + rest / 1024) : 2 ** -14 * (rest / 1024));
  });
}
