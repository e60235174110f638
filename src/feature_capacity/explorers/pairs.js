import { make } from "./ui.js";

// A colored square for each entry of a matrix of numbers from −1 to 1; a table, so that it can be
// read aloud.  Of a matrix with a row and a column for each feature, pairs in one block are framed.
export function coloredTable(caption, more = "") {
  const table = make("table", { class: `explorer-pairs ${more}` });
  const cell = (x, same) => {
    const [color, ink] = diverging(x);
    const style = `background:${color};color:${ink}`;
    return make("td", { style, class: same ? "explorer-same" : undefined }, short(x));
  };
  return {
    element: make("figure", { class: "explorer-figure" }, table, make("figcaption", {}, caption)),
    show: (values, blockOf) => {
      const named = (scope, at) => make("th", { scope }, at + 1);
      const head = make("tr", {}, make("td"), ...values[0].map((_, j) => named("col", j)));
      const same = (i, j) => blockOf && blockOf[i] !== null && blockOf[i] === blockOf[j];
      const rows = values.map((row, i) =>
        make("tr", {}, named("row", i), ...row.map((x, j) => cell(x, same(i, j)))),
      );
      table.replaceChildren(make("tbody", {}, head, ...rows));
    },
  };
}

// From blue (−1) over the page (0) to red (1), with an ink that reads on it: white below a luminance
// of 0.18, the ink of the page from 0.28 on; what lies between is lightened.
export function diverging(x) {
  const end = x < 0 ? [43, 108, 163] : [181, 67, 43];
  let t = Math.min(1, Math.abs(x));
  const strong = luminance(end, t) < 0.18;
  while (!strong && luminance(end, t) < 0.28) t -= 0.01;
  const color = `color-mix(in srgb, rgb(${end.join(",")}) ${(100 * t).toFixed(1)}%, var(--paper))`;
  return [color, strong ? "#ffffff" : "var(--ink)"];
}

// Of a color that is mixed into white, as the guidelines for contrast define it.  A dark page makes
// every mixture darker, and its ink is light.
function luminance(end, t) {
  const mix = end.map((channel) => 255 + (channel - 255) * t);
  const light = mix.map((channel) => ((channel / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
}

const listed = (features) => features.map((i) => i + 1).join(", ");

export function describeBlocks(found, n) {
  const seen = new Set(found.flatMap((block) => block.features));
  const ignored = [...Array(n).keys()].filter((i) => !seen.has(i));
  const parts = found.map(({ features, dimension }) => {
    const dims = dimension === 1 ? "one dimension" : `${dimension} dimensions`;
    if (features.length === 1) return `feature ${listed(features)} alone`;
    return `features ${listed(features)} in ${dims}`;
  });
  if (ignored.length) parts.push(`feature${ignored.length > 1 ? "s" : ""} ${listed(ignored)} ignored`);
  return `Blocks: ${parts.join("; ")}.`;
}

// For each feature the place of its block, null for an ignored one.
export function blocksOf(found, n) {
  return Array.from({ length: n }, (_, i) => {
    const at = found.findIndex(({ features }) => features.includes(i));
    return at < 0 ? null : at;
  });
}

// A number shortened to two digits behind the point, and to none where it is whole.
export const short = (x) => {
  const text = x.toFixed(2).replace("-0.00", "0").replace(".00", "");
  return text.replace("-", "−").replace("0.", ".");
};
