// Capacities of the features of a matrix that is read in blocks: equation (3) by the square of the
// smaller side.  The browser's copy of what feature_capacity.measure computes; a test compares them.
import { Refusal, transposed } from "./tensorfiles.js";

const AT_ONCE = 4e6; // numbers of a block
const DEEP = 512; // numbers that a product takes from a row before it goes to the next
const NEAR = 128; // rows that stay in the cache meanwhile
const LARGEST_SIDE = 6144;
const MOST_PRODUCTS = 2e12; // about half an hour

// The vectors of features; `features` says which axis they are.
function vectorsOf(matrix, features) {
  const rows = features === "rows";
  const { block } = matrix;
  const [n, d] = rows ? [matrix.rows, matrix.columns] : [matrix.columns, matrix.rows];
  return {
    n,
    d,
    // Some features with all dimensions, a feature a row; and some dimensions of all features.
    some: (a, b) => (rows ? block(a, b, 0, d) : transposed(block(0, d, a, b), d, b - a)),
    part: (a, b) => (rows ? block(0, n, a, b) : transposed(block(a, b, 0, n), b - a, n)),
  };
}

// For all features: capacity and length, which are finite, and numbers about the whole.
export function measure(matrix, features, where, progress) {
  const vectors = vectorsOf(matrix, features);
  const { n, d } = vectors;
  const side = Math.min(n, d);
  const work = n * d * side;
  if (side > LARGEST_SIDE || work > MOST_PRODUCTS) {
    throw new Refusal(
      `${where} is too large to be measured here (${n.toLocaleString("en")} features in ${d.toLocaleString("en")} dimensions); ` +
        "feature-capacity capacity FILE does it on your machine.",
    );
  }
  const step = Math.max(1, Math.min(d <= n ? n : d, Math.floor(AT_ONCE / side)));
  const total = n * d * (1 + side / 200 + (d <= n ? side / 200 : 0)); // a product takes longer than to read
  let done = 0;
  const ahead = (count) => progress((done += count) / total);

  const { finite, exponent } = survey(vectors, step, ahead);
  const scale = 2 ** -exponent;
  const tame = (block, first, wide) => {
    for (let i = 0, at = 0; at < block.length; i += 1, at += wide) {
      if (finite[first + i]) for (let k = at; k < at + wide; k += 1) block[k] *= scale;
      else block.fill(0, at, at + wide);
    }
    return block;
  };
  const square = new Float64Array(side * side);
  const sqNorm = new Float64Array(n);
  const met = new Float64Array(n); // sum over j of (w_i . w_j)^2
  if (d <= n) {
    eachSlice(n, step, (a, b) => {
      const some = tame(vectors.some(a, b), a, d);
      for (let i = a; i < b; i += 1) sqNorm[i] = dot(some, (i - a) * d, some, (i - a) * d, d);
      addGram(transposed(some, b - a, d), d, b - a, square);
      ahead((b - a) * d * (side / 200));
    });
    mirror(square, d);
    const lower = lowerHalf(square, d);
    eachSlice(n, step, (a, b) => {
      addForms(tame(vectors.some(a, b), a, d), b - a, d, lower, met.subarray(a, b));
      ahead((b - a) * d * (side / 200));
    });
  } else {
    eachSlice(d, step, (a, b) => {
      addGram(tame(vectors.part(a, b), 0, b - a), n, b - a, square);
      ahead((b - a) * n * (side / 200));
    });
    mirror(square, n);
    for (let i = 0; i < n; i += 1) {
      sqNorm[i] = square[i * n + i];
      met[i] = dot(square, i * n, square, i * n, n);
    }
  }
  const capacity = sqNorm.map((x, i) => (x > 0 ? Math.min(1, (x * x) / met[i]) : 0));
  const length = sqNorm.map((x) => Math.sqrt(x) / scale);
  const trace = sqNorm.reduce((t, x) => t + x, 0);
  const potential = dot(square, 0, square, 0, square.length);
  return { n, d, capacity, length, finite, participation: potential > 0 ? trace ** 2 / potential : NaN };
}

// Which features are finite, and the exponent of the largest number of those that are.
function survey({ n, d, some, part }, step, ahead) {
  const finite = new Uint8Array(n).fill(1);
  const peak = new Float64Array(n);
  const look = (block, first, wide) => {
    for (let i = 0, at = 0; at < block.length; i += 1, at += wide) {
      for (let k = at; k < at + wide; k += 1) {
        const size = Math.abs(block[k]);
        if (!(size < Infinity)) finite[first + i] = 0;
        else if (size > peak[first + i]) peak[first + i] = size;
      }
    }
    ahead(block.length);
  };
  if (d <= n) eachSlice(n, step, (a, b) => look(some(a, b), a, d));
  else eachSlice(d, step, (a, b) => look(part(a, b), 0, b - a));
  let most = 0;
  for (let i = 0; i < n; i += 1) if (finite[i] && peak[i] > most) most = peak[i];
  return { finite, exponent: most > 0 ? Math.max(-1000, Math.floor(Math.log2(most))) : 0 };
}

function eachSlice(length, step, use) {
  for (let a = 0; a < length; a += step) use(a, Math.min(length, a + step));
}

function dot(a, from, b, start, count) {
  let total = 0;
  for (let k = 0; k < count; k += 1) total += a[from + k] * b[start + k];
  return total;
}

// Products of four rows with four rows at a time keep sixteen sums where they are fast.
function fourByFour(a, i, b, j, wide, k0, k1, out) {
  const [a0, a1, a2, a3] = [i * wide, (i + 1) * wide, (i + 2) * wide, (i + 3) * wide];
  const [b0, b1, b2, b3] = [j * wide, (j + 1) * wide, (j + 2) * wide, (j + 3) * wide];
  let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
  let t0 = 0, t1 = 0, t2 = 0, t3 = 0, t4 = 0, t5 = 0, t6 = 0, t7 = 0;
  for (let k = k0; k < k1; k += 1) {
    const x0 = a[a0 + k], x1 = a[a1 + k], x2 = a[a2 + k], x3 = a[a3 + k];
    const y0 = b[b0 + k], y1 = b[b1 + k], y2 = b[b2 + k], y3 = b[b3 + k];
    s0 += x0 * y0; s1 += x0 * y1; s2 += x0 * y2; s3 += x0 * y3;
    s4 += x1 * y0; s5 += x1 * y1; s6 += x1 * y2; s7 += x1 * y3;
    t0 += x2 * y0; t1 += x2 * y1; t2 += x2 * y2; t3 += x2 * y3;
    t4 += x3 * y0; t5 += x3 * y1; t6 += x3 * y2; t7 += x3 * y3;
  }
  out[0] = s0; out[1] = s1; out[2] = s2; out[3] = s3; out[4] = s4; out[5] = s5; out[6] = s6; out[7] = s7;
  out[8] = t0; out[9] = t1; out[10] = t2; out[11] = t3; out[12] = t4; out[13] = t5; out[14] = t6; out[15] = t7;
}

// Every product of a row of `a` with a row of `b`, in parts; `use` hears of row, row and value.
// `rows(j)` says how many rows of `a` meet the row j of `b`, and `deep(j)` how many numbers do.
function products(a, n, b, m, wide, rows, deep, use) {
  const out = new Float64Array(16);
  for (let k0 = 0; k0 < wide; k0 += DEEP) {
    for (let j = 0; j < m; j += 4) {
      const k1 = Math.min(wide, k0 + DEEP, deep(j));
      const last = k1 > k0 ? Math.min(n, rows(j)) : 0;
      for (let i = 0; i < last; i += 4) {
        if (i + 4 <= n && j + 4 <= m) {
          fourByFour(a, i, b, j, wide, k0, k1, out);
          for (let p = 0; p < 16; p += 1) use(i + (p >> 2), j + (p & 3), out[p]);
        } else {
          for (let r = i; r < Math.min(n, i + 4); r += 1) {
            for (let s = j; s < Math.min(m, j + 4); s += 1) {
              use(r, s, dot(a, r * wide + k0, b, s * wide + k0, k1 - k0));
            }
          }
        }
      }
    }
  }
}

// Adds the upper half of A Aᵀ, for A of n rows, to a square.
function addGram(a, n, wide, square) {
  products(a, n, a, n, wide, (j) => j + 4, () => wide, (i, j, x) => (square[i * n + j] += x));
}

// Adds x · (M x) for each of the rows x, from a lower triangle that stands for M.
function addForms(rows, count, wide, lower, forms) {
  for (let a = 0; a < count; a += NEAR) {
    const near = rows.subarray(a * wide, Math.min(count, a + NEAR) * wide);
    const add = (i, j, x) => (forms[a + i] += x * near[i * wide + j]);
    products(near, near.length / wide, lower, wide, wide, () => NEAR, (j) => j + 4, add);
  }
}

function mirror(square, n) {
  for (let i = 0; i < n; i += 1) {
    for (let j = i + 1; j < n; j += 1) square[j * n + i] = square[i * n + j];
  }
}

// A lower triangle with the same quadratic form as a symmetric matrix, which halves the work.
function lowerHalf(square, n) {
  const lower = new Float64Array(n * n);
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < i; j += 1) lower[i * n + j] = 2 * square[i * n + j];
    lower[i * n + i] = square[i * n + i];
  }
  return lower;
}
