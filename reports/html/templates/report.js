// The views of a report: one is shown, and the fragment names it, with the values of its filters.
const { decode, make, unpack, facts, exchange, linkMessages, saving } = globalThis.icetcp;
const views = [...document.querySelectorAll("[data-view]")];
const idOf = (row) => decode(row.querySelector("a").getAttribute("href").slice("#variant/".length));
const known = new Map([...document.querySelectorAll("#variant-list > li")].map((row) => [idOf(row), row]));

// -- one variant ----------------------------------------------------------------------------------------------
const link = (view, name) => make("a", { class: "id", href: `#${view}/${encodeURIComponent(name)}` }, name);

const requirement = (id) => {
  const row = document.getElementById(`r-${id}`);
  const said = row ? ` ${row.querySelector("strong").textContent}. ${row.querySelector(".text").textContent}` : "";
  return make("li", {}, link("requirements", id), said);
};

const files = (found, id) => {
  const parts = [make("h3", {}, "Evidence")];
  const list = make("ul");
  if (found.capture) {
    const save = saving(found.capture, found.capturefile);
    list.append(make("li", {}, save, ` ${found.capture.length / 2} octets, in this file; for Wireshark and icetcp judge`));
  }
  if (found.captureof) list.append(make("li", {}, "The capture is in this file with ", link("variant", found.captureof)));
  for (const [name, what] of [[found.capturefile, "capture"], [found.logfile, "log"]]) {
    if (name) list.append(make("li", {}, make("a", { href: name.split("/").map(encodeURIComponent).join("/"), class: "id" }, name), ` ${what}, in the run's folder`));
  }
  if (list.children.length) parts.push(list);
  if (found.log) parts.push(make("details", { ...(known.get(id).dataset.verdict === "pass" ? {} : { open: "" }) }, make("summary", {}, "Log of the IUT"), make("pre", {}, found.log)));
  return list.children.length || found.log ? parts : [];
};

const neighbours = (row) => {
  const shown = [...document.querySelectorAll("#variant-list > li:not([hidden])")];
  const at = shown.indexOf(row);
  const there = (label, other) => (other ? make("a", { href: other.querySelector("a").getAttribute("href") }, label) : make("span", { class: "quiet" }, label));
  return make("p", { class: "noprint steps" }, there("Previous", shown[at - 1]), there("Next", shown[at + 1]), make("a", { href: "#variants" }, "All variants"));
};

const open = async (id) => {
  const target = document.getElementById("one-variant");
  const row = known.get(id);
  document.getElementById("h-variant").textContent = row ? row.querySelector("a").textContent : id;
  if (!row) {
    target.replaceChildren(make("p", {}, "This run has no such variant."));
    target.dataset.shown = id;
    return;
  }
  const [block, index] = row.dataset.at.split(" ").map(Number);
  const found = (await unpack(block))[index];
  const badge = row.querySelector(".verdict").cloneNode(true);
  const repeat = make("code", {}, found.repeat);
  const copy = make("button", { type: "button", class: "noprint" }, "Copy");
  copy.addEventListener("click", () => { navigator.clipboard.writeText(found.repeat).then(() => { copy.textContent = "Copied"; }); });
  target.replaceChildren(
    neighbours(row),
    make("p", {}, badge, ` ${row.dataset.level.toUpperCase()} `, make("span", { class: "quiet" }, `${found.started}, took ${found.duration}, seed ${found.seed}`)),
    found.purpose ? make("pre", { class: "purpose" }, found.purpose) : "",
    facts([
      ["Reason", found.reason], ["Expected", found.expected], ["Actual", found.actual],
      ["Cause", found.cause ? [link("cause", found.cause)] : ""],
      ["Rules broken", found.broken.map(([id, title, reason]) => make("div", {}, link("requirements", id), ` ${title}: ${reason}`))],
      ["Known", found.known], ["Note", found.note], ["Parameters", found.parameters], ["Executions", found.executions.join("\n")],
      ["Changed", row.dataset.change ? row.dataset.change.replaceAll("_", " ") : ""],
      ["Repeat", found.repeat ? [repeat, " ", copy] : ""],
    ]),
    make("h3", {}, "Requirements"), make("ul", {}, ...found.requirements.map(requirement)),
    ...(found.exchange ? exchange(found.exchange) : found.ladder ? [make("h3", {}, "Exchange"), make("pre", {}, found.ladder)] : []),
    ...files(found, id),
  );
  linkMessages(target);
  target.dataset.shown = id;
};

// -- views ----------------------------------------------------------------------------------------------------
const show = () => {
  document.documentElement.className = "";
  const [path, query] = decodeFragment();
  const [first, id] = path;
  const name = first === "cause" ? "causes" : first;
  const view = views.find((each) => each.dataset.view === name) || views[0];
  for (const each of views) each.hidden = each !== view;
  document.body.dataset.shown = view.dataset.view;
  for (const anchor of document.querySelectorAll("nav a")) {
    const current = anchor.getAttribute("href") === `#${view.dataset.view === "variant" ? "variants" : view.dataset.view}`;
    if (current) anchor.setAttribute("aria-current", "page"); else anchor.removeAttribute("aria-current");
  }
  const form = view.querySelector("form.filters");
  if (form && (query || id)) {
    for (const control of form.elements) {
      if (control.name) control.value = query ? query.get(control.name) || "" : "";
    }
    form.apply();
  }
  if (view.dataset.view === "variant") open(id || "").then(() => scrollTo(0, 0));
  else if (id) point(view, first === "cause" ? `cause-${id.replace(/[^A-Za-z0-9.-]+/g, "_")}` : `r-${id}`);
  else if (!query) scrollTo(0, 0);
};

const point = (view, id) => {
  const target = document.getElementById(id);
  if (!target) return;
  target.setAttribute("tabindex", "-1");
  target.scrollIntoView({ block: "start" });
  target.focus({ preventScroll: true });
};

const decodeFragment = () => {
  const [path, query] = location.hash.slice(1).split("?");
  const at = path.indexOf("/");
  return [at < 0 ? [path] : [path.slice(0, at), decode(path.slice(at + 1))], query === undefined ? null : new URLSearchParams(query)];
};

for (const form of document.querySelectorAll("form.filters")) {
  const name = form.closest("[data-view]").dataset.view;
  const keep = () => {
    const values = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    history.replaceState(null, "", `#${name}${[...values].length ? `?${values}` : ""}`);
  };
  form.addEventListener("input", keep);
  form.addEventListener("reset", () => setTimeout(keep));
}
addEventListener("hashchange", show);
addEventListener("beforeprint", () => { for (const each of document.querySelectorAll(".static")) each.hidden = document.body.dataset.shown.startsWith("variant"); });
addEventListener("afterprint", show);
show();
