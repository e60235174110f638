// Minimizers that go one step at a time: Levenberg-Marquardt and damped Newton, with the rules of
// feature_capacity.solvers, and gradient descent.  Each holds { theta, loss, steps, settled }.

// Solves (matrix + diagonal) x = right by Cholesky's method; null if the sum is not positive.
export function solvedPositive(matrix, extra, right) {
  const size = right.length;
  const L = new Float64Array(size * size);
  for (let s = 0; s < size; s++) {
    for (let t = 0; t <= s; t++) {
      let sum = matrix[s * size + t] + (s === t ? extra[s] : 0);
      for (let u = 0; u < t; u++) sum -= L[s * size + u] * L[t * size + u];
      if (s === t && !(sum > 0)) return null;
      L[s * size + t] = s === t ? Math.sqrt(sum) : sum / L[t * size + t];
    }
  }
  const x = Float64Array.from(right);
  for (let s = 0; s < size; s++) {
    for (let u = 0; u < s; u++) x[s] -= L[s * size + u] * x[u];
    x[s] /= L[s * size + s];
  }
  for (let s = size - 1; s >= 0; s--) {
    for (let u = s + 1; u < size; u++) x[s] -= L[u * size + s] * x[u];
    x[s] /= L[s * size + s];
  }
  return x.every(Number.isFinite) ? x : null;
}

const bounded = (x, low, high) => Math.min(high, Math.max(low, x));
const norm = (vector) => Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));

export function levenbergMarquardt(problem, start, tolerance = 1e-10, mostSteps = 200) {
  let here = problem.linearize(start);
  let damping = 1e-2;
  let quiet = 0; // steps in a row that hardly lowered the loss
  const now = { theta: Float64Array.from(start), loss: here.loss, steps: 0, settled: false };
  now.step = () => {
    const { size } = problem;
    const diagonal = Float64Array.from({ length: size }, (_, s) => here.curvature[s * size + s]);
    // A floor for parameters that the loss does not feel.
    const floor = (1e-3 * diagonal.reduce((sum, x) => sum + x, 0)) / size + 1e-12;
    const extra = diagonal.map((x) => damping * (x + floor));
    const move = solvedPositive(here.curvature, extra, here.gradient);
    const trial = move ? now.theta.map((x, s) => x - move[s]) : now.theta;
    const there = move ? problem.linearize(trial) : here;
    const better = there.loss < here.loss;
    const gain = (here.loss - there.loss) / Math.max(here.loss, Number.MIN_VALUE);
    if (better) quiet = gain < tolerance ? quiet + 1 : 0;
    else if (damping >= 1e6) quiet = 3;
    if (better) [now.theta, here] = [trial, there];
    damping = bounded(damping * (better ? 0.2 : 5), 1e-8, 1e6);
    now.loss = here.loss;
    now.steps += 1;
    now.settled = quiet >= 3;
    now.over = now.settled || now.steps >= mostSteps;
  };
  return now;
}

export function dampedNewton(problem, start, tolerance = 1e-12, mostSteps = 500) {
  let here = problem.linearize(start);
  let damping = 0.1;
  const now = { theta: Float64Array.from(start), loss: here.loss, steps: 0, settled: false };
  now.step = () => {
    const extra = new Float64Array(problem.size).fill(damping);
    const move = solvedPositive(here.curvature, extra, here.gradient);
    let good = false;
    if (move) {
      const trial = now.theta.map((x, s) => x - move[s]);
      const there = problem.linearize(trial);
      // Close to the minimum the loss no longer resolves a step; there the gradient decides.
      const slack = 1e-14 * (1 + Math.abs(here.loss));
      const lower = there.loss < here.loss - slack;
      const calmer = there.loss <= here.loss + slack && norm(there.gradient) < norm(here.gradient);
      good = lower || calmer;
      if (good) [now.theta, here] = [trial, there];
    }
    // The floor only keeps the rotations of W, along which the loss is flat, from being singular.
    damping = bounded(damping * (good ? 0.2 : 5), 1e-13, 1e8);
    now.loss = here.loss;
    now.steps += 1;
    // At the rounding level no step of any length improves.
    now.settled = norm(here.gradient) <= tolerance || damping >= 1e8;
    now.over = now.settled || now.steps >= mostSteps;
  };
  return now;
}

// Downhill along the gradient, as far as the loss falls by half of what the slope promises; the
// next step begins with a length a little above the last one.
export function gradientDescent(problem, start, tolerance = 1e-9, mostSteps = 4000) {
  let here = problem.linearize(start, false);
  let length = 1;
  let quiet = 0;
  const now = { theta: Float64Array.from(start), loss: here.loss, steps: 0, settled: false };
  now.step = () => {
    const slope = here.gradient.reduce((sum, x) => sum + x * x, 0);
    let there = null;
    for (let tries = 0; tries < 60 && slope > 0; tries++, length /= 2) {
      const trial = now.theta.map((x, s) => x - length * here.gradient[s]);
      const found = problem.linearize(trial, false);
      if (found.loss <= here.loss - 0.5 * length * slope) {
        there = found;
        now.theta = trial;
        break;
      }
    }
    const gain = there ? (here.loss - there.loss) / Math.max(here.loss, Number.MIN_VALUE) : 0;
    quiet = gain < tolerance ? quiet + 1 : 0;
    here = there ?? here;
    length *= 1.3;
    now.loss = here.loss;
    now.steps += 1;
    now.settled = quiet >= 3;
    now.over = now.settled || now.steps >= mostSteps;
  };
  return now;
}

// Numbers with a standard normal distribution, from a source of numbers in [0, 1).
export function normalNumbers(random, count) {
  return Array.from({ length: count }, () => {
    const radius = Math.sqrt(-2 * Math.log(1 - random()));
    return radius * Math.cos(2 * Math.PI * random());
  });
}
