"use strict";
// Filters: every form.filters hides the rows of its list that it does not mean. Its values are part of the fragment.
// "a -> b", as in the names of an interop table's cells, is one word that must stand there as it is.
const words = (text) => text.toLowerCase().match(/\S+ -> \S+|\S+/g) || [];
const isIn = (text, word) => (word.includes(" ") ? ` ${text} `.includes(` ${word} `) : text.includes(word));

for (const form of document.querySelectorAll("form.filters:not([data-own])")) {
  const list = document.getElementById(form.dataset.for);
  const found = () => [...list.querySelectorAll("[data-verdict], [data-text]")].map((row) => ({
    row,
    text: (row.dataset.text || `${row.textContent} ${row.dataset.requirements || ""}`).toLowerCase(),
    group: row.closest("[data-group]"),
  }));
  let rows = null; // read when somebody filters, not when the page opens
  const apply = () => {
    rows = rows || found();
    const wanted = Object.fromEntries(new FormData(form));
    const asked = words(wanted.text || "");
    delete wanted.text;
    const chosen = Object.entries(wanted).filter(([, value]) => value);
    const groups = new Map();
    let shown = 0;
    for (const { row, text, group } of rows) {
      const fits = asked.every((word) => isIn(text, word))
        && chosen.every(([name, value]) => (row.dataset[name] || "").split(" ").includes(value));
      if (row.hidden === fits) row.hidden = !fits;
      shown += fits;
      if (group) groups.set(group, groups.get(group) || fits);
    }
    for (const [group, any] of groups) group.hidden = !any;
    const noun = form.dataset.noun + (rows.length === 1 ? "" : "s");
    form.querySelector("output").textContent = `${shown} of ${rows.length} ${noun}`;
  };
  form.addEventListener("input", apply);
  form.addEventListener("reset", () => setTimeout(apply));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.apply = apply;
  const count = list.querySelectorAll("[data-verdict], [data-text]").length;
  form.querySelector("output").textContent = `${count} ${form.dataset.noun}${count === 1 ? "" : "s"}`;
}
