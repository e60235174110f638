// Above each long table of claims a box and a menu, which show the rows that hold the words and the
// verdict; and in the table sections that open, with what they hold in a line.  Without this script,
// and on paper, all rows are shown.
const VERDICTS = [
  ["holds", "hold"],
  ["holds with a qualification", "hold with a qualification"],
  ["does not hold", "do not hold"],
  ["not applicable", "not applicable"],
  ["not checked", "not checked"],
  ["not attempted", "not attempted"],
];
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

    const sections = [...table.querySelectorAll("tr.claims-section")].map((head) => {
      const own = [];
      for (let row = head.nextElementSibling; row?.dataset.verdict; row = row.nextElementSibling) {
        own.push(row);
      }
      return { head, own, open: false, button: opener(head, own) };
    });
    for (const section of sections) {
      section.button.addEventListener("click", () => {
        section.open = !section.open;
        show();
      });
    }
    const all = document.createElement("button");
    if (sections.length) bar.append(all);
    all.addEventListener("click", () => {
      const open = sections.some((section) => !section.open);
      for (const section of sections) section.open = open;
      show();
    });

    function show() {
      const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
      const chosen = wanted.length > 0 || verdict.value !== "";
      let found = 0;
      for (const row of rows) {
        row.hidden = !matches(row, wanted, verdict.value);
        found += !row.hidden;
      }
      for (const { head, own, open, button } of sections) {
        // What was looked for is shown, whether its section is open or not.
        head.hidden = own.every((row) => row.hidden);
        button.setAttribute("aria-expanded", String(chosen || open));
        if (!chosen && !open) for (const row of own) row.hidden = true;
      }
      all.textContent = sections.every(({ open }) => open) ? "close all" : "open all";
      all.disabled = chosen;
      count.textContent = `${found} of ${rows.length}`;
    }
    words.addEventListener("input", show);
    verdict.addEventListener("change", show);
    addEventListener("beforeprint", () => rows.forEach((row) => (row.hidden = false)));
    addEventListener("afterprint", show);
    show();
  }

  // The button that a head of a section becomes: its name, and how many rows have which verdict.
  function opener(head, own) {
    const cell = head.cells[0];
    const button = document.createElement("button");
    const summary = document.createElement("span");
    summary.textContent = VERDICTS
      .map(([one, many]) => [own.filter(({ dataset }) => dataset.verdict === one).length, one, many])
      .filter(([number]) => number)
      .map(([number, one, many]) => `${number} ${number === 1 ? one : many}`)
      .join(", ");
    button.append(cell.textContent, summary);
    cell.replaceChildren(button);
    return button;
  }

  function matches(row, wanted, verdict) {
    // A number is meant whole: 3 is not part of 30.
    const holds = (text, word) =>
      /^\d+$/.test(word) ? new RegExp(`\\b${word}\\b`).test(text) : text.includes(word);
    const text = [...row.cells].map((cell) => cell.textContent).join(" ").toLowerCase();
    const verdicts = row.dataset.verdict.split("|");
    return wanted.every((word) => holds(text, word)) && (!verdict || verdicts.includes(verdict));
  }
});
