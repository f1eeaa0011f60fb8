// The views of an interop table: one is shown, and the fragment names it, with the values of its filters.
const { decode, make, unpack, facts, exchange, linkMessages, saving } = globalThis.icetcp;
const views = [...document.querySelectorAll("[data-view]")];
const stages = JSON.parse(document.getElementById("stages").textContent);
const idOf = (row) => decode(row.querySelector("a").getAttribute("href").slice("#cell/".length));
const known = new Map([...document.querySelectorAll("#cell-list > li")].map((row) => [idOf(row), row]));

const way = (found) => {
  const list = make("ol", { class: "way" });
  stages.forEach((stage, number) => {
    if (!number || number > found.goal) return;
    const reached = number <= found.reached;
    list.append(make("li", { class: reached ? "v-pass" : "v-n_a" }, `${reached ? "✓" : "✗"} ${stage}`));
  });
  return list;
};

const breach = ([who, requirement, level, title, text, expected, blocks, times]) => make("li", {},
  make("strong", {}, blocks ? `${who}: ` : ""), blocks ? "" : `${who}: `, make("span", { class: "id" }, requirement), ` ${level}, ${title}: ${text}`,
  expected ? ` (expected: ${expected})` : "", times > 1 ? `, ${times} times` : "", blocks ? make("strong", {}, " This keeps the two from working together.") : "");

const open = async (id) => {
  const target = document.getElementById("one-cell");
  const row = known.get(id);
  document.getElementById("h-cell").textContent = id;
  if (!row) { target.replaceChildren(make("p", {}, "There is no such cell.")); return; }
  const [block, index] = row.dataset.at.split(" ").map(Number);
  const found = (await unpack(block))[index];
  const files = Object.entries(found.files).filter(([, text]) => text).map(([name, text]) =>
    make("details", {}, make("summary", {}, name), make("pre", {}, text)));
  target.replaceChildren(
    make("p", { class: "noprint" }, make("a", { href: "#cells" }, "All cells")),
    make("p", {}, row.querySelector(".verdict").cloneNode(true), " ", make("strong", {}, found.sentence)),
    way(found),
    facts([["Offerer", found.versions[0]], ["Its states", found.states[0]], ["Answerer", found.versions[1]], ["Its states", found.states[1]],
      ["Took", found.seconds], ["Judge again", found.repeat ? [make("code", {}, found.repeat)] : ""]]),
    ...(found.breaches.length ? [make("h3", {}, "Requirements broken in this session"), make("ul", {}, ...found.breaches.map(breach))] : []),
    ...(found.exchange ? exchange(found.exchange) : []),
    ...(found.capture ? [make("p", {}, saving(found.capture, found.capturefile), ` ${found.capture.length / 2} octets, both sides; for Wireshark and icetcp judge`)] : []),
    ...(files.length ? [make("h3", {}, "Descriptions and logs"), ...files] : []),
  );
  linkMessages(target);
  document.getElementById("h-cell").focus({ preventScroll: true });
};

const show = () => {
  document.documentElement.className = "";  // the views are told apart from now on
  const [path, query] = location.hash.slice(1).split("?");
  const at = path.indexOf("/");
  const [first, id] = at < 0 ? [path, ""] : [path.slice(0, at), decode(path.slice(at + 1))];
  const view = views.find((each) => each.dataset.view === first) || views[0];
  for (const each of views) each.hidden = each !== view;
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.getAttribute("href") === `#${view.dataset.view === "cell" ? "cells" : view.dataset.view}`) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  const form = view.querySelector("form.filters");
  if (form && query !== undefined) {
    const values = new URLSearchParams(query);
    for (const control of form.elements) if (control.name) control.value = values.get(control.name) || "";
    form.apply();
  }
  if (view.dataset.view === "cell") open(id).then(() => scrollTo(0, 0)); else scrollTo(0, 0);
};
addEventListener("hashchange", show);
show();
