// One feature with a kurtosis of its own among equal ones of importance 1: who gets how much.
import { lossAt } from "./theory.js";

// `others` is { n, nDims, kurtosis }, their kurtosis above 3.  Their curves bend up, so that they
// take equal parts, and one number is left: the share of the feature.
export function lossOfShare(share, importance, kurtosis, others) {
  const rest = Math.min(1, (others.nDims - share) / others.n);
  return lossAt(share, importance, kurtosis) + others.n * lossAt(rest, 1, others.kurtosis);
}

// Where n / C is the same for all, one division gives the share; the least is there or at an end.
export function oneAgainst(importance, kurtosis, others) {
  const { n, nDims, kurtosis: theirs } = others;
  const own = (kurtosis - 1) * importance;
  const above = own * (((theirs - 3) * nDims) / n + 2) - 2 * (theirs - 1);
  const inside = above / ((own * (theirs - 3)) / n + (theirs - 1) * (kurtosis - 3));
  const shares = [0, 1, inside].filter((share) => share >= 0 && share <= 1);
  const losses = shares.map((share) => lossOfShare(share, importance, kurtosis, others));
  const least = losses.indexOf(Math.min(...losses));
  return { share: shares[least], rest: (nDims - shares[least]) / n, loss: losses[least] };
}

// What decides whether it may share below 3: its own, and that of all the others together.
export const heaviness = (importance, kurtosis) =>
  Math.abs((kurtosis - 1) / (kurtosis - 3)) * importance;
