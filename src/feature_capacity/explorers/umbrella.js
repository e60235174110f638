// A network in three dimensions that attains an optimal allocation in which all features but the
// first are alike: feature 1 upright, the others around it like the ribs of an umbrella.
export function umbrella({ capacity, sqNorm }) {
  const others = capacity.length - 1;
  const shared = capacity[1] > 0 && capacity[1] < 1;
  if (!shared) return onAxes(capacity, sqNorm);
  // Unit frame: squared lengths are capacities, and W W^T = 1.  Ribs of height h and reach r have
  // others r^2 / 2 = 1 and capacity[0] + others h^2 = 1.
  const reach = Math.sqrt(2 / others);
  const height = Math.sqrt((1 - capacity[0]) / others);
  return capacity.map((c, i) => {
    if (c === 0) return [0, 0, 0];
    const size = Math.sqrt(sqNorm[i] / c);
    if (i === 0) return [0, 0, size * Math.sqrt(c)];
    const turn = (2 * Math.PI * (i - 1)) / others;
    return [size * reach * Math.cos(turn), size * reach * Math.sin(turn), -size * height];
  });
}

// A dimension for each feature that has a whole one, the upright one for feature 1.
function onAxes(capacity, sqNorm) {
  const free = capacity[0] === 1 ? [0, 1] : [0, 1, 2];
  return capacity.map((c, i) => {
    const w = [0, 0, 0];
    if (c === 1) w[i === 0 ? 2 : free.shift()] = Math.sqrt(sqNorm[i]);
    return w;
  });
}
