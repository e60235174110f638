// What there is to say about the capacities of many features, in numbers.
import { PHASES } from "./ui.js";

const FEW = 200; // random vectors; of more, the sum of squared cosines is known by its moments
const DRAWS = 4000;

// `found` is what the worker measured; what is not finite is in no number but its own.
export function summarize({ n, d, capacity, length, finite, participation }, tolerance) {
  const share = Math.min(1, d / n);
  const code = (c) => 1 + (c >= 1 - tolerance) - (c < tolerance * share);
  const phase = Int8Array.from(capacity, (c, i) => (finite[i] ? code(c) : -1));
  const order = [...capacity.keys()].filter((i) => finite[i]);
  order.sort((i, j) => capacity[j] - capacity[i] || i - j);
  const own = Float64Array.from(order, (i) => capacity[i]);
  const few = Math.min(8, Math.ceil(order.length / 2));
  const counts = PHASES.map(() => 0);
  for (const p of phase) if (p >= 0) counts[p] += 1;
  return {
    n, d, capacity, length, finite, phase, share, counts,
    total: own.reduce((t, c) => t + c, 0),
    quantiles: [1, 0.5, 0].map((part) => between(own, part)),
    zero: order.filter((i) => length[i] === 0).length,
    bad: [...finite.keys()].filter((i) => !finite[i]),
    greatest: order.slice(0, few),
    least: order.slice(-few).reverse(),
    random: randomDirections(n, d),
    statistics: {
      participation_ratio: participation,
      frame_potential: Math.min(n, d) / participation,
      random_total_same_lengths: sameLengths(length, d),
      effective_features: effectiveNumber(own),
      dims_per_feature: d / length.reduce((t, x) => t + x * x, 0),
    },
  };
}

// A quantile of numbers that fall, between neighbors as NumPy takes it.
function between(falling, part) {
  if (falling.length === 0) return NaN;
  const at = part * (falling.length - 1);
  const [low, high] = [falling[Math.floor(at)], falling[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

function effectiveNumber(weights) {
  const total = weights.reduce((t, x) => t + x, 0);
  const entropy = weights.reduce((t, x) => (x > 0 ? t - (x / total) * Math.log(x / total) : t), 0);
  return total > 0 ? Math.exp(entropy) : NaN;
}

// Least total capacity to expect of vectors of these lengths in random directions.
function sameLengths(length, d) {
  const most = length.reduce((a, b) => Math.max(a, b), 0);
  if (most === 0) return 0;
  const squares = length.map((x) => (x / most) ** 2);
  const all = squares.reduce((t, x) => t + x, 0);
  return squares.reduce((t, x) => (x > 0 ? t + x / (x + (all - x) / d) : t), 0);
}

// Capacity of a unit vector among n whose directions are drawn at random: one over 1 and a sum of
// squared cosines, each of the Beta distribution (1/2, (d - 1)/2).  Its mean, and the limits within
// which nine of ten are.
export function randomDirections(n, d) {
  if (n === 1 || d === 1) return { mean: 1 / n, limits: [1 / n, 1 / n] };
  if (n - 1 <= FEW) return drawn(n - 1, d);
  const met = (n - 1) / d;
  const variance = ((n - 1) * 2 * (d - 1)) / (d * d * (d + 2));
  const skewness = ((2 * (d - 2)) / (d + 4)) * Math.sqrt((d + 2) / (2 * (d - 1))) / Math.sqrt(n - 1);
  // Cornish and Fisher: a quantile of the normal distribution, corrected for skewness.
  const z = 1.6448536269514722;
  const at = (x) => met + Math.sqrt(variance) * (x + ((x * x - 1) * skewness) / 6);
  const mean = (1 + variance / (1 + met) ** 2) / (1 + met);
  return { mean, limits: [1 / (1 + at(z)), 1 / (1 + at(-z))] };
}

function drawn(others, d) {
  const random = numbersFrom(20221003);
  const capacity = Float64Array.from({ length: DRAWS }, () => {
    let met = 0;
    for (let j = 0; j < others; j += 1) {
      const [own, rest] = [gamma(0.5, random), gamma((d - 1) / 2, random)];
      met += own / (own + rest);
    }
    return 1 / (1 + met);
  }).sort().reverse();
  const mean = capacity.reduce((t, x) => t + x, 0) / DRAWS;
  return { mean, limits: [between(capacity, 0.95), between(capacity, 0.05)] };
}

// Numbers in (0, 1) that are the same for every reader (mulberry32).
function numbersFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), 1 | state);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return (((x ^ (x >>> 14)) >>> 0) + 0.5) / 4294967296;
  };
}

function normal(random) {
  return Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());
}

// Marsaglia and Tsang (2000); a shape below 1 by way of the next one.
function gamma(shape, random) {
  if (shape < 1) return gamma(shape + 1, random) * random() ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const z = normal(random);
    const v = (1 + c * z) ** 3;
    if (v > 0 && Math.log(random()) < 0.5 * z * z + d - d * v + d * Math.log(v)) return d * v;
  }
}
