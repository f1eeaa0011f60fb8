// The views of a matrix: one is shown, and the fragment names it: #cell/REQUIREMENT/IMPLEMENTATION, with /VARIANT opened.
const { decode, make, unpack, facts, exchange, linkMessages, saving } = globalThis.icetcp;
const views = [...document.querySelectorAll("[data-view]")];
const numbers = new Map([...document.querySelectorAll("script[data-name]")].map((each, number) => [each.dataset.name, number]));

const badge = (word, text) => make("span", { class: `verdict v-${word.replaceAll("/", "_")}` }, text || word);

const evidence = (found, folder) => {
  const parts = [facts([["Reason", found.reason], ["Expected", found.expected], ["Actual", found.actual], ["Known", found.known],
    ["Note", (found.note || "").startsWith("known deviation: ") ? "" : found.note], ["Repeat", found.repeat ? [make("code", {}, found.repeat)] : ""]])];
  if (found.exchange) parts.push(...exchange(found.exchange));
  else if (found.ladder) parts.push(make("pre", {}, found.ladder));
  if (found.capture) parts.push(make("p", {}, saving(found.capture, found.capturefile), ` ${found.capture.length / 2} octets, for Wireshark and icetcp judge`));
  else if (found.capturefile) parts.push(make("p", {}, make("a", { href: `${folder}/${found.capturefile}` }, found.capturefile)));
  return parts;
};

const caseOf = (name, sum, variants, wanted) => {
  const counted = Object.entries(sum.variants).map(([word, count]) => `${count} ${word}`).join(", ");
  const found = variants[sum.first];
  const body = make("div");
  const item = make("details", { class: "card", "data-variant": sum.first },
    make("summary", {}, badge(sum.verdict), " ", make("span", { class: "id" }, name), " ", make("span", { class: "quiet" }, counted + (sum.known ? "; known" : ""))), body);
  const fill = () => {
    if (body.childElementCount) return;
    body.append(make("p", { class: "id" }, sum.first), ...(found ? evidence(found, found.folder) : [make("p", {}, sum.reason || "It passed.")]));
    linkMessages(body);
  };
  item.addEventListener("toggle", () => {
    if (!item.open) { body.replaceChildren(); return; }  // one at a time: messages are numbered in the page
    for (const other of document.querySelectorAll("#one-cell > details[open]")) if (other !== item) other.open = false;
    fill();
  });
  if (wanted) item.open = true;
  return item;
};

const open = async (requirement, name) => {
  const target = document.getElementById("one-cell");
  document.getElementById("h-cell").textContent = `${requirement}: ${name}`;
  const number = numbers.get(name);
  const block = number === undefined ? null : await unpack(number);
  const cell = block && block.cells[requirement];
  if (!cell) { target.replaceChildren(make("p", {}, "There is no such cell.")); return; }
  const cases = Object.entries(cell.cases);
  const failing = cases.filter(([, sum]) => sum.verdict === "fail");
  target.replaceChildren(
    make("p", { class: "noprint" }, make("a", { href: "#matrix" }, "Back to the matrix")),
    make("p", {}, make("strong", {}, cell.state), cell.why ? `: ${cell.why}` : ""),
    ...cases.map(([case_, sum]) => caseOf(case_, sum, block.variants, failing.length > 0 && sum === failing[0][1])),
  );
  document.getElementById("h-cell").focus({ preventScroll: true });
};

const show = () => {
  document.documentElement.className = "";  // the views are told apart from now on
  const [first, ...rest] = location.hash.slice(1).split("?")[0].split("/").map(decode);
  const view = views.find((each) => each.dataset.view === first) || views[0];
  for (const each of views) each.hidden = each !== view;
  for (const anchor of document.querySelectorAll("nav a")) {
    if (anchor.getAttribute("href") === `#${view.dataset.view === "cell" ? "matrix" : view.dataset.view}`) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  if (view.dataset.view === "cell") open(rest[0] || "", rest[1] || "").then(() => scrollTo(0, 0));
};
addEventListener("hashchange", show);
show();
