"use strict";
// The page is whole without this: a point is a link to its row. Here a point shows its row beside the plot.
(() => {
  const panel = document.getElementById("candidate-detail");
  const points = [...document.querySelectorAll("a.point")];
  if (!panel || points.length === 0) return;

  const rowOf = (point) => document.getElementById(point.getAttribute("href").slice(1));

  const show = (point) => {
    const row = rowOf(point);
    const names = [...row.closest("table").tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    const list = document.createElement("dl");
    [...row.cells].forEach((cell, index) => {
      const text = cell.textContent.trim();
      if (!text) return;
      const name = document.createElement("dt");
      const value = document.createElement("dd");
      name.textContent = names[index] || "standing";
      value.textContent = text;
      list.append(name, value);
    });
    panel.replaceChildren(list);
    for (const other of points) {
      const same = other.getAttribute("href") === point.getAttribute("href");
      other.classList.toggle("selected", same);
      if (same) other.setAttribute("aria-current", "true");
      else other.removeAttribute("aria-current");
    }
    for (const other of document.querySelectorAll("tr.selected")) other.classList.remove("selected");
    row.classList.add("selected");
  };

  const beside = (point, step) => {
    const at = (each) => Number(each.dataset.x);
    const shown = points.filter((each) => each.closest(".plot") === point.closest(".plot"));
    const ordered = shown.sort((one, other) => at(one) - at(other));
    return ordered[ordered.indexOf(point) + step];
  };

  for (const point of points) {
    point.addEventListener("click", (event) => {
      event.preventDefault();
      show(point);
    });
    point.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (step === undefined) return;
      event.preventDefault();
      const next = beside(point, step);
      if (next) next.focus();
    });
  }
  panel.hidden = false;
})();
