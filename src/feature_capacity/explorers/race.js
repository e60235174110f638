// Two minimizers from one start, seen at the same numbers of steps.
import { autoencoder, computation } from "./toymodels.js";
import { sparseNodes } from "./nodes.js";
import { quadraticModel } from "./quadratic.js";
import { dampedNewton, gradientDescent, levenbergMarquardt, normalNumbers } from "./solvers.js";
import { randomNumbers, solveAllocation } from "./theory.js";

// What is minimized at a setting.  The quadratic model is exact; the others need nodes.
export function problemAt({ model, activation, probability: p, importance }, { d, rules }) {
  const n = importance.length;
  if (isExact(model, activation)) return quadraticModel({ n, d, importance, kurtosis: 1.8 / p });
  const nodes = sparseNodes(rules[model], n, p, model === "computation");
  const build = { autoencoder, computation }[model];
  return build({ n, d, importance, activation, nodes });
}

export const isExact = (model, activation) => model === "computation" && activation === "quadratic";

// Importances: V for feature 1, then 1, ratio, ratio squared, and so on.
export const importances = (n, first, ratio) =>
  Array.from({ length: n }, (_, i) => (i === 0 ? first : ratio ** (i - 1)));

// The least loss that the theory knows of; null where it knows none.
export function leastLoss({ model, activation, probability, importance }, d) {
  if (!isExact(model, activation)) return null;
  return solveAllocation(importance, d, 1.8 / probability).loss;
}

// The two minimizers at the start that belongs to a seed, or at a given matrix of D rows.
export function startedAt(problem, { n, d, seed, start, exact }) {
  const draws = normalNumbers(randomNumbers(seed), n * d).map((x) => x * problem.spread);
  const W = start ?? Array.from({ length: d }, (_, a) => draws.slice(a * n, (a + 1) * n));
  const theta = problem.start(W);
  const second = exact ? dampedNewton : levenbergMarquardt;
  return [second(problem, theta), gradientDescent(problem, theta)].map((run) => ({
    run,
    points: [[0, problem.lossOf(run.loss)]],
  }));
}

// Numbers of steps at which the pictures are drawn: evenly spaced in logarithm.
export const nextStop = (steps) => steps + Math.max(1, Math.floor(0.12 * steps));

// Goes on to a number of steps, or until the time is up; whether it got there.
export function advance(racers, stop, problem, milliseconds = Infinity) {
  const end = performance.now() + milliseconds;
  let arrived = true;
  for (const { run, points } of racers) {
    while (!run.over && run.steps < stop) {
      if (performance.now() > end) {
        arrived = false;
        break;
      }
      run.step();
      const [last] = points.at(-1);
      if (run.steps < 30 || run.steps > 1.03 * last || run.over) {
        points.push([run.steps, problem.lossOf(run.loss)]);
      }
    }
  }
  return arrived;
}

// What a minimizer has found, in the terms of the package: W as rows.
export function foundBy({ run }, problem, capacities) {
  const W = problem.matrix(run.theta);
  const columns = W[0].map((_, i) => W.map((row) => row[i]));
  return {
    W,
    columns,
    bias: problem.bias(run.theta),
    loss: problem.lossOf(run.loss),
    capacity: capacities(columns),
    steps: run.steps,
    settled: run.settled,
  };
}
