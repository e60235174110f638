// The toy models in the browser: expected loss, gradient and curvature, from the same formulas and
// on the same kind of nodes as feature_capacity.solvers.  Parameters are a flat list: W row by row,
// then the bias of the autoencoder.  Matrices of curvature are flat too, row by row.
import { ACTIVATIONS } from "./activations.js";

// Loss, half gradient and, if wanted, the Gauss-Newton matrix of the autoencoder on nodes.
export function autoencoder({ n, d, importance, activation, nodes }) {
  const f = ACTIVATIONS[activation];
  const size = d * n + n;
  const J = new Float64Array(size); // derivative of one residual, and where it is not 0
  const where = new Int32Array(size);
  const h = new Float64Array(d);

  // dr_i/dW_aj = f' (h_a [i = j] + W_ai x_j) and dr_i/db_i = f', as a list of what is not 0.
  function derivatives(theta, i, { active, x }, slope) {
    let count = 0;
    if (active.length) {
      for (let a = 0; a < d; a++) {
        let seen = false;
        for (let at = 0; at < active.length; at++) {
          const j = active[at];
          where[count] = a * n + j;
          J[count] = slope * theta[a * n + i] * x[at];
          if (j === i) {
            J[count] += slope * h[a];
            seen = true;
          }
          count += 1;
        }
        if (!seen) {
          where[count] = a * n + i;
          J[count] = slope * h[a];
          count += 1;
        }
      }
    }
    where[count] = d * n + i;
    J[count] = slope;
    return count + 1;
  }

  function linearize(theta, wanted = true) {
    const curvature = wanted ? new Float64Array(size * size) : null;
    const pull = new Float64Array(n * n); // E[r_i f'_i x_j] times importance
    const gradient = new Float64Array(size);
    let loss = 0;
    for (const node of nodes) {
      const { active, x, weight } = node;
      for (let a = 0; a < d; a++) {
        h[a] = 0;
        for (let at = 0; at < active.length; at++) h[a] += theta[a * n + active[at]] * x[at];
      }
      for (let i = 0; i < n; i++) {
        let z = theta[d * n + i];
        for (let a = 0; a < d; a++) z += theta[a * n + i] * h[a];
        const [value, slope] = f(z);
        const own = active.indexOf(i);
        const residual = value - (own < 0 ? 0 : x[own]);
        const w = weight * importance[i];
        loss += w * residual * residual;
        if (slope === 0) continue;
        const pulled = w * residual * slope;
        for (let at = 0; at < active.length; at++) pull[i * n + active[at]] += pulled * x[at];
        gradient[d * n + i] += pulled;
        if (wanted) addOuter(curvature, J, where, derivatives(theta, i, node, slope), w, size);
      }
    }
    for (let a = 0; a < d; a++) {
      for (let i = 0; i < n; i++) {
        let sum = 0;
        for (let j = 0; j < n; j++) sum += theta[a * n + j] * (pull[i * n + j] + pull[j * n + i]);
        gradient[a * n + i] = sum;
      }
    }
    return { loss, gradient, curvature: curvature && mirrored(curvature, size) };
  }
  return {
    size,
    linearize,
    start: (W) => [...W.flat(), ...new Array(n).fill(0)],
    matrix: (theta) => rowsOf(theta, n, d),
    bias: (theta) => Array.from(theta.slice(d * n)),
    lossOf: (loss) => loss,
    spread: 1 / Math.sqrt(2 * d), // of the entries of a random start
  };
}

// The same of the computation model.  Its bias is at each step the best one, so that residuals and
// their derivatives are centered.
export function computation({ n, d, importance, activation, nodes }) {
  const f = ACTIVATIONS[activation];
  const size = d * n;
  const target = nodes.map(({ active, x }) =>
    active.reduce((sum, i, at) => sum + importance[i] * f(x[at])[0], 0),
  );
  const J = new Float64Array(size);
  const where = new Int32Array(size);
  const slopes = new Float64Array(nodes.length * d);
  const residual = new Float64Array(nodes.length);

  // Residuals without a bias, slopes of the neurons, and the mean residual.
  function forward(theta) {
    let center = 0;
    nodes.forEach(({ active, x, weight }, node) => {
      let sum = -target[node];
      for (let a = 0; a < d; a++) {
        let z = 0;
        for (let at = 0; at < active.length; at++) z += theta[a * n + active[at]] * x[at];
        const [value, slope] = f(z);
        sum += value;
        slopes[node * d + a] = slope;
      }
      residual[node] = sum;
      center += weight * sum;
    });
    return center;
  }

  function linearize(theta, wanted = true) {
    const center = forward(theta);
    const curvature = wanted ? new Float64Array(size * size) : null;
    const gradient = new Float64Array(size);
    const mean = new Float64Array(size); // of the derivatives
    let loss = 0;
    nodes.forEach(({ active, x, weight }, node) => {
      const r = residual[node] - center;
      loss += weight * r * r;
      let count = 0;
      for (let a = 0; a < d; a++) {
        for (let at = 0; at < active.length; at++) {
          where[count] = a * n + active[at];
          J[count] = slopes[node * d + a] * x[at];
          gradient[where[count]] += weight * r * J[count];
          mean[where[count]] += weight * J[count];
          count += 1;
        }
      }
      if (wanted) addOuter(curvature, J, where, count, weight, size);
    });
    if (!wanted) return { loss, gradient, curvature };
    mirrored(curvature, size);
    for (let s = 0; s < size; s++) {
      for (let t = 0; t < size; t++) curvature[s * size + t] -= mean[s] * mean[t];
    }
    return { loss, gradient, curvature };
  }
  return {
    size,
    linearize,
    start: (W) => W.flat(),
    matrix: (theta) => rowsOf(theta, n, d),
    bias: (theta) => -forward(theta),
    lossOf: (loss) => loss,
    spread: 1 / Math.sqrt(2 * d),
  };
}

// Adds w J J^T to the lower triangle of a matrix.
function addOuter(matrix, J, where, count, w, size) {
  for (let s = 0; s < count; s++) {
    const scaled = w * J[s];
    for (let t = 0; t <= s; t++) {
      const at = where[s] < where[t] ? where[t] * size + where[s] : where[s] * size + where[t];
      matrix[at] += scaled * J[t];
    }
  }
}

function mirrored(matrix, size) {
  for (let s = 0; s < size; s++) {
    for (let t = 0; t < s; t++) matrix[t * size + s] = matrix[s * size + t];
  }
  return matrix;
}

// W from the parameters: a row for each neuron.
export function rowsOf(theta, n, d, scale = 1) {
  return Array.from({ length: d }, (_, a) =>
    Array.from({ length: n }, (__, i) => theta[a * n + i] * scale),
  );
}
