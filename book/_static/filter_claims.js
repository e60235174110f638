// A box and a menu above each long table of claims: show the rows that hold the words and verdict.
document.addEventListener("DOMContentLoaded", () => {
  for (const table of document.querySelectorAll("table.claims")) {
    const rows = [...table.querySelectorAll("tbody tr[data-verdict]")];
    if (rows.length < 50) continue;
    const words = Object.assign(document.createElement("input"), {
      type: "search",
      placeholder: "words, or a number of an equation",
    });
    words.setAttribute("aria-label", "Show rows with these words");
    const verdict = document.createElement("select");
    verdict.setAttribute("aria-label", "Show rows with this verdict");
    const known = new Set(rows.flatMap((row) => row.dataset.verdict.split("|")));
    for (const name of ["every verdict", ...[...known].filter(Boolean).sort()]) {
      verdict.append(new Option(name, name === "every verdict" ? "" : name));
    }
    const count = document.createElement("output");
    const bar = document.createElement("div");
    bar.className = "claims-filter";
    bar.append(words, verdict, count);
    table.before(bar);

    const show = () => {
      // A number is meant whole: 3 is not part of 30.
      const holds = (text, word) =>
        /^\d+$/.test(word) ? new RegExp(`\\b${word}\\b`).test(text) : text.includes(word);
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
        const verdicts = row.dataset.verdict.split("|");
        row.hidden = !(
          wanted.every((word) => holds(text, word)) &&
          (verdict.value === "" || verdicts.includes(verdict.value))
        );
        shown += !row.hidden;
      }
      // The head of a section goes with its last row.
      for (const head of table.querySelectorAll("tr.claims-section")) {
        let next = head.nextElementSibling;
        while (next && next.hidden) next = next.nextElementSibling;
        head.hidden = !next || next.classList.contains("claims-section");
      }
      count.textContent = `${shown} of ${rows.length}`;
    };
    words.addEventListener("input", show);
    verdict.addEventListener("change", show);
    show();
  }
});
