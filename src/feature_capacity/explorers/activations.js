// The nonlinearities of the toy models, each giving value and slope.

// The normal distribution function between points of a table: cubic through values and slopes,
// within 1e-9.
const NORMAL = (() => {
  const [reach, parts] = [8.5, 64];
  const density = (z) => Math.exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
  const size = 2 * reach * parts + 1;
  const values = new Float64Array(size);
  const [points, weights] = [
    [0.1834346424956498, 0.525532409916329, 0.7966664774136267, 0.9602898564975363],
    [0.362683783378362, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763],
  ];
  for (let at = 1; at < size; at++) {
    const middle = (at - 0.5) / parts - reach;
    const half = 0.5 / parts;
    let mass = 0;
    points.forEach((x, i) => {
      mass += weights[i] * (density(middle + half * x) + density(middle - half * x));
    });
    values[at] = values[at - 1] + mass * half;
  }
  return { reach, parts, values, density };
})();

function normalBelow(z) {
  const { reach, parts, values, density } = NORMAL;
  if (z <= -reach) return 0;
  if (z >= reach) return 1;
  const place = (z + reach) * parts;
  const at = Math.floor(place);
  const t = place - at;
  const [left, right] = [at / parts - reach, (at + 1) / parts - reach];
  const [a, b] = [density(left) / parts, density(right) / parts];
  const rise = values[at + 1] - values[at];
  return values[at] + t * (a + t * (3 * rise - 2 * a - b + t * (a + b - 2 * rise)));
}

export const ACTIVATIONS = {
  quadratic: (z) => [z * z, 2 * z],
  relu: (z) => (z > 0 ? [z, 1] : [0, 0]),
  gelu: (z) => {
    const below = normalBelow(z);
    return [z * below, below + z * NORMAL.density(z)];
  },
};
