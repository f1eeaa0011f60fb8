// What pages with exchanges share: unpacking, and an exchange with its messages by field.
const decode = (text) => { try { return decodeURIComponent(text); } catch { return text; } };
const make = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null && child !== ""));
  return made;
};

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

const linkMessages = (target) => {
  for (const step of target.querySelectorAll("[data-message]")) {
    step.addEventListener("click", () => reveal(step));
    step.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); reveal(step); } });
  }
};

const saving = (hex, path) => {
  const save = make("button", { type: "button" }, "Save the capture");
  save.addEventListener("click", () => {
    const address = URL.createObjectURL(new Blob([octetsOf(hex)], { type: "application/octet-stream" }));
    const anchor = make("a", { href: address, download: path.split("/").pop() });
    anchor.click();
    setTimeout(() => URL.revokeObjectURL(address), 10000);
  });
  return save;
};

globalThis.icetcp = { decode, make, unpack, facts, exchange, linkMessages, saving };
