import { rowsOf } from "./toymodels.js";

// The quadratic model, whose expected loss is exact: equation (12), with its gradient and Hessian.
// Importances are scaled to mean 1 and the loss to units of k - 1, as feature_capacity.solvers.newton
// does, so that all settings look alike to the minimizer.
export function quadraticModel({ n, d, importance, kurtosis }) {
  const k = kurtosis;
  const mean = importance.reduce((sum, v) => sum + v, 0) / n;
  const v = importance.map((one) => one / mean);
  const size = d * n;
  function linearize(theta, wanted = true) {
    const at = (a, i) => theta[a * n + i];
    const product = (i, j) => {
      let sum = 0;
      for (let a = 0; a < d; a++) sum += at(a, i) * at(a, j);
      return sum;
    };
    const gram = v.map((_, i) => v.map((__, j) => product(i, j)));
    const frame = Array.from({ length: d }, (_, a) =>
      Array.from({ length: d }, (__, b) => v.reduce((sum, ___, i) => sum + at(a, i) * at(b, i), 0)),
    );
    let loss = 0;
    for (let i = 0; i < n; i++) {
      loss += (gram[i][i] - v[i]) ** 2;
      for (let j = 0; j < n; j++) if (j !== i) loss += (2 / (k - 1)) * gram[i][j] ** 2;
    }
    const own = v.map((one, i) => (k - 3) * gram[i][i] - (k - 1) * one);
    const unit = 4 / (k - 1);
    const gradient = new Float64Array(size);
    for (let a = 0; a < d; a++) {
      for (let i = 0; i < n; i++) {
        let across = 0;
        for (let b = 0; b < d; b++) across += frame[a][b] * at(b, i);
        gradient[a * n + i] = unit * (own[i] * at(a, i) + 2 * across);
      }
    }
    if (!wanted) return { loss, gradient };
    const curvature = new Float64Array(size * size);
    for (let a = 0; a < d; a++) {
      for (let i = 0; i < n; i++) {
        for (let b = 0; b < d; b++) {
          for (let j = 0; j < n; j++) {
            let h = 2 * at(a, j) * at(b, i) + (a === b ? 2 * gram[i][j] : 0);
            if (i === j) h += 2 * frame[a][b] + 2 * (k - 3) * at(a, i) * at(b, i);
            if (i === j && a === b) h += own[i];
            curvature[(a * n + i) * size + b * n + j] = unit * h;
          }
        }
      }
    }
    return { loss, gradient, curvature };
  }
  return {
    size,
    linearize,
    start: (W) => W.flat().map((w) => w / Math.sqrt(mean)),
    matrix: (theta) => rowsOf(theta, n, d, Math.sqrt(mean)),
    bias: (theta) => {
      const lengths = theta.reduce((sum, w) => sum + w * w, 0) * mean;
      return importance.reduce((sum, one) => sum + one, 0) - lengths;
    },
    lossOf: (loss) => loss * (k - 1) * mean * mean,
    spread: Math.sqrt(mean / d),
  };
}
