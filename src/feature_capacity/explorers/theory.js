// The closed forms behind the explorers: the browser's copy of what the Python package computes.
// A test compares the two.  Matrices are arrays of columns, one column per feature.

export const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);
export const clip = (x) => Math.min(1, Math.max(0, x));
export const dot = (a, b) => sum(a.map((x, i) => x * b[i]));

// ----------------------------------------------------------------------- the quadratic model

// What the next bit of capacity is worth, minus dL/dC at the best length: equation (14).
export function marginalBenefit(capacity, importance, kurtosis) {
  const room = (kurtosis - 1) * capacity + 2 * (1 - capacity);
  const lengthPerCapacity = capacity === 1 ? importance : ((kurtosis - 1) * importance) / room;
  return 2 * lengthPerCapacity ** 2;
}

// What a feature adds to the expected loss at its best length: equations (13) and (52).
export function lossAt(capacity, importance, kurtosis) {
  const room = (kurtosis - 1) * capacity + 2 * (1 - capacity);
  return capacity === 1 ? 0 : (2 * (kurtosis - 1) * importance ** 2 * (1 - capacity)) / room;
}

// The optimal allocation: equations (15) to (18), exact.  With `whole` features fully represented
// and `active` ones with any capacity at all, those between share what is left, and the multiplier
// follows from their mean; of all pairs (whole, active), the one that contradicts itself least.
export function solveAllocation(importance, nDims, kurtosis) {
  const v = importance;
  const order = v.map((_, i) => i).sort((i, j) => v[j] - v[i] || i - j);
  const sorted = order.map((i) => v[i]);
  const edge = sorted[nDims - 1];
  const beyond = nDims < v.length ? sorted[nDims] : 0;
  let multiplier = edge;
  let capacity = v.map(() => 0);

  if (kurtosis > 3 && ((kurtosis - 1) / 2) * beyond > edge) {
    let best = { contradiction: Infinity };
    for (let whole = 0; whole < nDims; whole++) {
      for (let active = nDims + 1; active <= v.length; active++) {
        const sharing = sorted.slice(whole, active);
        const mean = sum(sharing) / sharing.length;
        const fair = (nDims - whole) / sharing.length;
        const lambda = (mean * (kurtosis - 1)) / ((kurtosis - 3) * fair + 2);
        const floor = (2 * lambda) / (kurtosis - 1);
        const contradiction = Math.max(
          whole > 0 ? lambda - sorted[whole - 1] : 0,
          sorted[whole] - lambda,
          floor - sorted[active - 1],
          active < v.length ? sorted[active] - floor : 0,
          0,
        );
        if (contradiction < best.contradiction) {
          best = { contradiction, whole, active, mean, fair, lambda };
        }
      }
    }
    multiplier = best.lambda;
    order.forEach((feature, rank) => {
      // Equation (15) about the mean of those that share.
      const tilt = (2 / (kurtosis - 3)) * ((v[feature] - best.mean) / best.mean);
      const part = clip((best.fair * v[feature]) / best.mean + tilt);
      capacity[feature] = rank < best.whole ? 1 : rank < best.active ? part : 0;
    });
  } else {
    // Returns do not diminish, or nobody is close enough to share: the first come, whole.
    const tied = order.filter((i) => v[i] === edge);
    const above = sorted.filter((x) => x > edge).length;
    for (const i of order.slice(0, nDims)) capacity[i] = v[i] > 0 ? 1 : 0;
    if (kurtosis === 3 && edge > 0) {
      for (const i of tied) capacity[i] = (nDims - above) / tied.length;
    }
  }
  return {
    capacity,
    multiplier,
    threshold: 2 * multiplier ** 2,
    sqNorm: capacity.map((c, i) => (c === 1 ? v[i] : multiplier * c)),
    phase: capacity.map((c) => (c > 0) + (c === 1)),
    loss: sum(capacity.map((c, i) => lossAt(c, v[i], kurtosis))),
  };
}

// --------------------------------------------------------------------------------- embeddings

// Capacity of every feature: equation (3); 0 for a column of zeros.
export function capacities(W) {
  return W.map((w) => {
    const own = dot(w, w) ** 2;
    return own === 0 ? 0 : own / sum(W.map((other) => dot(w, other) ** 2));
  });
}

export function cosines(W) {
  const length = W.map((w) => Math.sqrt(dot(w, w)));
  return W.map((a, i) =>
    W.map((b, j) => (length[i] && length[j] ? dot(a, b) / (length[i] * length[j]) : 0)),
  );
}

// Mutually orthogonal sets of features, as feature_capacity.blocks finds them: linked where the
// cosine exceeds `tolerance`; vectors shorter than `tolerance` times the longest belong to none.
export function blocks(W, tolerance) {
  const length = W.map((w) => Math.sqrt(dot(w, w)));
  const shortest = tolerance * Math.max(...length);
  const cosine = cosines(W);
  const unseen = new Set(W.map((_, i) => i).filter((i) => length[i] > shortest));
  const found = [];
  for (const first of [...unseen]) {
    if (!unseen.delete(first)) continue;
    const members = [first];
    for (const i of members) {
      for (const j of [...unseen]) {
        if (Math.abs(cosine[i][j]) > tolerance) {
          unseen.delete(j);
          members.push(j);
        }
      }
    }
    members.sort((i, j) => i - j);
    const axes = orthonormalAxes(members.map((i) => W[i]), tolerance);
    found.push({ features: members, dimension: axes.length, axes });
  }
  return found;
}

// Orthonormal axes of the space that the vectors span, the longest rest first (Gram-Schmidt).
function orthonormalAxes(vectors, tolerance) {
  let rest = vectors.map((w) => [...w]);
  const size = (w) => Math.sqrt(dot(w, w));
  const smallest = tolerance * Math.max(...rest.map(size));
  const axes = [];
  while (axes.length < vectors[0].length) {
    const longest = rest.reduce((a, b) => (size(b) > size(a) * (1 + 1e-9) ? b : a));
    const length = size(longest);
    if (!(length > smallest)) break;
    const axis = longest.map((x) => x / length);
    axes.push(axis);
    rest = rest.map((w) => w.map((x, a) => x - dot(w, axis) * axis[a]));
  }
  return axes;
}

// Coordinates along the blocks, that of `first` leading: the same embedding, turned.
export function turnedAlongBlocks(W, found, first) {
  const mine = found.filter((block) => block.features.includes(first));
  const others = found.filter((block) => !block.features.includes(first));
  let axes = [...mine, ...others].flatMap((block) => block.axes);
  // Blocks are orthogonal only up to the tolerance: make the axes exactly so, and complete them.
  const unit = W[0].map((_, a) => W[0].map((_, b) => Number(a === b)));
  axes = inOrder([...axes, ...unit]).slice(0, W[0].length);
  return W.map((w) => axes.map((axis) => dot(axis, w)));
}

function inOrder(vectors) {
  const axes = [];
  for (const vector of vectors) {
    let rest = [...vector];
    for (const axis of axes) rest = rest.map((x, a) => x - dot(rest, axis) * axis[a]);
    const length = Math.sqrt(dot(rest, rest));
    if (length > 0.3) axes.push(rest.map((x) => x / length));
  }
  return axes;
}

// --------------------------------------------------------------- Theorem 1, rotation by rotation

// The first matrix, with one unit column per axis, and the plane rotations that lead to the given
// capacities; as feature_capacity.geometry.rotations.rotation_steps.
export function rotationSteps(capacity) {
  const n = capacity.length;
  const nDims = Math.round(sum(capacity));
  const W = capacity.map(() => new Array(nDims).fill(0));
  const tiny = 1e-12;
  let axis = 0;
  let left = 0;
  capacity.forEach((c, i) => {
    if (axis < nDims && (c > left + tiny || left < tiny)) {
      W[left < tiny ? i : i + 1][axis] = 1;
      axis += 1;
      left += 1;
    }
    left -= c;
  });
  const steps = [];
  let now = W;
  for (let i = 0; i + 1 < n; i++) {
    const angle = angleToLength(now[i], now[i + 1], capacity[i]);
    if (angle !== null && Math.abs(Math.sin(angle)) > 1e-9) {
      now = turn(now, i, i + 1, angle);
      steps.push({ first: i, second: i + 1, angle });
    }
  }
  return { start: W, steps };
}

// The matrix after so many rotations; a fraction turns the last one only so far.
export function afterRotations({ start, steps }, number) {
  let W = start;
  steps.forEach(({ first, second, angle }, s) => {
    const part = clip(number - s);
    if (part > 0) W = turn(W, first, second, part * angle);
  });
  return W;
}

function turn(W, i, j, angle) {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const turned = [...W];
  turned[i] = W[i].map((x, a) => cos * x + sin * W[j][a]);
  turned[j] = W[j].map((y, a) => cos * y - sin * W[i][a]);
  return turned;
}

// Angle at which cos x + sin y has the given squared length; null where there is none.
function angleToLength(x, y, sqNorm, mirror = false) {
  const [xx, yy, xy] = [dot(x, x), dot(y, y), dot(x, y)];
  const half = (xx - yy) / 2;
  const radius = Math.hypot(half, xy);
  const excess = sqNorm - (xx + yy) / 2;
  if (Math.abs(excess) > radius + 1e-12) return null;
  if (radius < 1e-15) return 0;
  const swing = Math.acos(Math.min(1, Math.max(-1, excess / radius)));
  return (Math.atan2(xy, half) + (mirror ? -swing : swing)) / 2;
}

// Another embedding with the same lengths and the same W W^T: three columns at a time are turned
// so that the first angle is free and the other two give the lengths back.
export function mixColumns(W, random) {
  let mixed = W;
  const sqNorm = W.map((w) => dot(w, w));
  const free = W.map((_, i) => i).filter((i) => sqNorm[i] > 1e-9 && sqNorm[i] < 1 - 1e-9);
  if (free.length < 3) return W;
  for (let round = 0; round < 60; round++) {
    const order = free.map((i) => [random(), i]).sort((a, b) => a[0] - b[0]).map((pair) => pair[1]);
    const [i, j, k] = order;
    let tried = turn(mixed, i, j, (2 * random() - 1) * Math.PI);
    let whole = true;
    for (const [a, b] of [[j, k], [k, i]]) {
      const back = angleToLength(tried[a], tried[b], sqNorm[a], random() < 0.5);
      if (back === null) whole = false;
      else tried = turn(tried, a, b, back);
    }
    if (whole) mixed = tried;
  }
  return mixed;
}

// Small generator of numbers in [0, 1) from a seed (mulberry32), so that pictures can be shared.
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
  };
}

// Capacities after one of them was set: the others give or take in proportion to what they can,
// first those that share, then those at 0 or 1; held ones never.  The sum stays whole.
export function withCapacity(capacity, feature, wanted, held) {
  const others = capacity.map((_, i) => i).filter((i) => i !== feature && !held[i]);
  const total = sum(capacity);
  const most = capacity[feature] + sum(others.map((i) => capacity[i]));
  const least = most - others.length;
  const own = Math.min(Math.min(1, most), Math.max(Math.max(0, least), wanted));
  const next = [...capacity];
  next[feature] = own;
  const shares = (i) => next[i] > 1e-9 && next[i] < 1 - 1e-9;
  for (const group of [others.filter(shares), others.filter((i) => !shares(i))]) {
    const missing = total - sum(next);
    if (Math.abs(missing) < 1e-15) break;
    const room = sum(group.map((i) => (missing > 0 ? 1 - next[i] : next[i])));
    if (room <= 0) continue;
    const part = Math.min(1, Math.abs(missing) / room);
    for (const i of group) next[i] += Math.sign(missing) * part * (missing > 0 ? 1 - next[i] : next[i]);
  }
  return next.map((c) => (c < 1e-12 ? 0 : c > 1 - 1e-12 ? 1 : c));
}
