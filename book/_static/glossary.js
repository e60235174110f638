// Shows what a term means where it is used: at the mouse, at the tab key, at a tap; Escape hides it.
// Without this script the meaning is the plain title of the link.
document.addEventListener("DOMContentLoaded", () => {
  const links = document.querySelectorAll("a.glossary-term[title]");
  if (!links.length) return;
  const tip = document.createElement("div");
  tip.id = "glossary-tip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  document.querySelector("article, main, body").append(tip);

  let shown = null;
  let timer = 0;
  const hide = () => {
    clearTimeout(timer);
    shown?.removeAttribute("aria-describedby");
    shown = null;
    tip.hidden = true;
  };
  const show = (link) => {
    clearTimeout(timer);
    if (shown === link) return;
    hide();
    shown = link;
    link.setAttribute("aria-describedby", tip.id);
    tip.textContent = link.dataset.definition;
    tip.hidden = false;
    // Below the word, or above it at the foot of the window; never past either side of it.
    const word = link.getClientRects()[0];
    const box = tip.getBoundingClientRect();
    const widest = document.documentElement.clientWidth - box.width - 8;
    const below = word.bottom + 6;
    const fits = below + box.height < window.innerHeight;
    tip.style.left = `${Math.max(8, Math.min(word.left, widest))}px`;
    tip.style.top = `${fits ? below : Math.max(8, word.top - box.height - 6)}px`;
  };
  // The mouse may go from the word to the box without losing it.
  const hideSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(hide, 200);
  };
  for (const link of links) {
    link.dataset.definition = link.title;
    link.removeAttribute("title");
    link.addEventListener("mouseenter", () => show(link));
    link.addEventListener("mouseleave", hideSoon);
    link.addEventListener("focus", () => show(link));
    link.addEventListener("blur", hide);
    // There is no hovering with a finger: the first tap shows the meaning, the second follows.
    link.addEventListener("touchend", (event) => {
      if (shown === link) return;
      event.preventDefault();
      show(link);
    });
  }
  tip.addEventListener("mouseenter", () => clearTimeout(timer));
  tip.addEventListener("mouseleave", hideSoon);
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  document.addEventListener("touchstart", (event) => {
    if (shown && event.target !== shown && !shown.contains(event.target)) hide();
  });
  addEventListener("scroll", hide, { passive: true });
});
