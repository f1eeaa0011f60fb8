// The views of a report: one is shown, and the fragment names it, with the values of its filters.
const views = [...document.querySelectorAll("[data-view]")];
const decode = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
const idOf = (row) => decode(row.querySelector("a").getAttribute("href").slice("#variant/".length));
const known = new Map([...document.querySelectorAll("#variant-list > li")].map((row) => [idOf(row), row]));

const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
};

// -- unpacking ------------------------------------------------------------------------------------------------
const blocks = new Map();
const unpack = (number) => {
  if (!blocks.has(number)) {
    const octets = Uint8Array.from(atob(document.getElementById(`block-${number}`).textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([octets]).stream().pipeThrough(new DecompressionStream("deflate"));
    blocks.set(number, new Response(stream).json());
  }
  return blocks.get(number);
};
const octetsOf = (hex) => Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));

// -- one variant ----------------------------------------------------------------------------------------------
const link = (view, name) => make("a", { class: "id", href: `#${view}/${encodeURIComponent(name)}` }, name);

const requirement = (id) => {
  const row = document.getElementById(`r-${id}`);
  const said = row ? ` ${row.querySelector("strong").textContent}. ${row.querySelector(".text").textContent}` : "";
  return make("li", {}, link("requirements", id), said);
};

const facts = (rows) => {
  const list = make("dl", { class: "said" });
  for (const [label, value] of rows) {
    if (value === "" || value === null || value === undefined || (Array.isArray(value) && !value.length)) continue;
    list.append(make("dt", {}, label), make("dd", {}, ...(Array.isArray(value) ? value : [value])));
  }
  return list;
};

const dump = (hex, size) => {
  const lines = [];
  const rows = hex.match(/.{1,32}/g) || [];
  rows.forEach((row, number) => {
    const pairs = row.match(/../g);
    const text = pairs.map((pair) => parseInt(pair, 16)).map((code) => (code > 31 && code < 127 ? String.fromCharCode(code) : "."));
    lines.push(`${(number * 16).toString(16).padStart(4, "0")}  ${pairs.join(" ").padEnd(48)} ${text.join("")}`);
  });
  if (size > hex.length / 2) lines.push(`… ${size - hex.length / 2} more octets; the capture has them`);
  return lines.join("\n");
};

const message = (one, number) => {
  const body = make("tbody");
  for (const [offset, length, name, value, wrong] of one.fields) {
    const hex = one.octets.slice(2 * offset, 2 * (offset + length)).match(/../g) || [];
    body.append(make("tr", wrong ? { class: "offending" } : {}, make("td", { class: "n" }, String(offset)),
      make("th", { scope: "row" }, (wrong ? "✗ " : "") + name), make("td", {}, value), make("td", {}, make("code", {}, hex.join(" ")))));
  }
  const heads = ["Octet", "Field", "Value", "Octets"].map((head) => make("th", { scope: "col" }, head));
  const bad = one.offending || one.fields.some((field) => field[4]);
  return make("details", { class: bad ? "message bad" : "message", id: `message-${number}`, ...(bad ? { open: "" } : {}) },
    make("summary", {}, `${number + 1}. ${bad ? "✗ " : ""}${one.title} `, make("span", { class: "quiet" }, `${one.size} octets`)),
    make("div", { class: "scroll" }, make("table", {}, make("thead", {}, make("tr", {}, ...heads)), body)),
    make("details", {}, make("summary", {}, "Hex"), make("pre", {}, dump(one.octets, one.size))));
};

const exchange = (found) => {
  const parts = [make("h3", {}, "Exchange")];
  for (const drawing of found.drawings) {
    const parsed = new DOMParser().parseFromString(drawing, "image/svg+xml").documentElement;
    const region = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": parsed.getAttribute("aria-label") });
    region.append(document.importNode(parsed, true));
    parts.push(region);
  }
  if (!found.drawings.length) parts.push(make("p", {}, "No connection was made."));
  if (found.messages.length) {
    const open = make("button", { type: "button" }, "Open all messages");
    const list = make("div", {}, ...found.messages.map(message));
    open.addEventListener("click", () => list.querySelectorAll("details.message").forEach((each) => { each.open = true; }));
    parts.push(make("h3", {}, "Messages, field by field"), open, list);
  }
  return parts;
};

const reveal = (step) => {
  const target = document.getElementById(`message-${step.dataset.message}`);
  target.open = true;
  target.scrollIntoView({ block: "center" });
  target.querySelector("summary").focus();
};

const files = (found, id) => {
  const parts = [make("h3", {}, "Evidence")];
  const list = make("ul");
  if (found.capture) {
    const save = make("button", { type: "button" }, "Save the capture");
    save.addEventListener("click", () => {
      const address = URL.createObjectURL(new Blob([octetsOf(found.capture)], { type: "application/octet-stream" }));
      const anchor = make("a", { href: address, download: found.capturefile.split("/").pop() });
      anchor.click();
      setTimeout(() => URL.revokeObjectURL(address), 10000);
    });
    list.append(make("li", {}, save, ` ${found.capture.length / 2} octets, in this file; for Wireshark and icetcp judge`));
  }
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
  for (const step of target.querySelectorAll("[data-message]")) {
    step.addEventListener("click", () => reveal(step));
    step.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); reveal(step); } });
  }
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
