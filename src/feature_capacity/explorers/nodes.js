// The inputs of the toy models in the browser: weighted nodes that stand for all inputs.

// Nodes for n sparse features with probability p: every on/off mask with its weight, and in it the
// nodes of its number of active features, which the page brings along for p = 1.
export function sparseNodes(rules, n, p, twoSided) {
  const scale = twoSided ? 1 / Math.sqrt(p) : 1; // so that the variance stays 1
  const share = rules.map((_, at) => chance(n, at + 1, p) * (at + 1));
  const all = share.reduce((total, x) => total + x, 0);
  const nodes = [{ active: [], x: [], weight: chance(n, 0, p) }];
  rules.forEach(({ values, weights }, at) => {
    if (share[at] < 1e-7 * all) return; // it would change nothing that one sees
    const m = at + 1;
    const each = p ** m * (1 - p) ** (n - m);
    for (const active of choices(n, m)) {
      weights.forEach((weight, node) => {
        const x = Float64Array.from(active, (_, a) => scale * values[node * m + a]);
        nodes.push({ active, x, weight: weight * each });
      });
    }
  });
  const total = nodes.reduce((sum, { weight }) => sum + weight, 0);
  return nodes.map((node) => ({ ...node, weight: node.weight / total }));
}

const chance = (n, m, p) => choices(n, m).length * p ** m * (1 - p) ** (n - m);

function choices(n, m, first = 0) {
  if (m === 0) return [[]];
  const found = [];
  for (let i = first; i <= n - m; i++) {
    for (const rest of choices(n, m - 1, i + 1)) found.push([i, ...rest]);
  }
  return found;
}
