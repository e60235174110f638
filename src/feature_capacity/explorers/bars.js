// Capacities as a small bar chart: a bar for each feature, lines at one half and at one.
import { make } from "./ui.js";

export function capacityBars(colors) {
  const element = make("div", { class: "explorer-bars", role: "img" });
  return {
    element,
    show: (capacity) => {
      const bars = capacity.map((c, i) => {
        const bar = make("i");
        bar.style.height = `${100 * c}%`;
        bar.style.background = colors[i % colors.length];
        return make("span", { title: `feature ${i + 1}: ${c.toFixed(3)}` }, bar, make("b", {}, i + 1));
      });
      element.replaceChildren(...bars);
      const told = capacity.map((c, i) => `${i + 1} ${c.toFixed(2)}`).join(", ");
      element.setAttribute("aria-label", `Capacities of the features: ${told}`);
    },
  };
}
