// Shows answers side by side and the table of all rows. Texts come from models: they are only ever set as text.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  // A run of plugins' probes alone has no answers to show.
  if (!byId("viewer")) return;

  const TOFU = {
    loss: { title: "loss", of: (entry) => entry.loss },
    probability: { title: "probability", of: (entry) => entry.probability },
    ratio: { title: "truth ratio", of: (entry) => entry.ratio },
    rouge: { title: "ROUGE-L recall", of: (entry) => entry.rouge },
  };
  const EXTRAS = Object.fromEntries(
    data.extras.map((title, index) => ["extra" + index, { title, of: (entry) => entry.extras?.[index] }]));
  const METRICS = { ...TOFU, ...EXTRAS };
  const isKnown = (value) => value !== null && value !== undefined;
  // Only figures that some row has; one at least.
  for (const [name, metric] of Object.entries(METRICS)) {
    const has = (entry) => entry && isKnown(metric.of(entry));
    if (Object.keys(METRICS).length > 1 && !data.items.some((item) => item.models.some(has))) delete METRICS[name];
  }

  /** An element with attributes; children are elements or texts. */
  function make(name, attributes = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  }

  function shown(value) {
    if (!isKnown(value) || Number.isNaN(value)) return "–";
    const size = Math.abs(value);
    if (value !== 0 && (size < 1e-3 || size >= 1e5)) return value.toExponential(1);
    return size >= 100 ? value.toFixed(0) : value.toPrecision(3);
  }

  // MARK: Answers

  /** The class of a loss in nats; as KnowledgeScale.step. */
  function shade(loss) {
    const index = data.limits.findIndex((limit) => loss <= limit);
    return "k" + (index < 0 ? 0 : data.limits.length - index);
  }

  /** A text by its tokens, coloured; as it is where tokens were not recorded. */
  function tokens(text, pieces, losses) {
    if (!pieces || !losses) return make("p", { class: "tokens soft", dir: "auto" }, text ?? "not recorded");
    const spans = pieces.map((piece, index) => {
      const loss = losses[index] / 100;
      const note = `p = ${shown(Math.exp(-loss))} (loss ${loss.toFixed(2)})`;
      const isEnd = piece === "</s>" && index === pieces.length - 1;
      return make("span", { class: shade(loss) + (isEnd ? " end" : ""), title: note }, isEnd ? "end" : piece);
    });
    return make("p", { class: "tokens soft", dir: "auto" }, ...spans);
  }

  function card(item, model, entry) {
    const title = make("h3", {}, make("span", { class: "dot " + model.style }), model.title);
    if (!entry) return make("article", { class: "card" }, title, make("p", { class: "meta" }, "not measured"));
    const figures = (metrics) => Object.values(metrics).map((metric) => [metric.title, metric.of(entry)])
      .filter(([, value]) => isKnown(value));
    const line = figures(TOFU).map(([name, value]) => `${name} ${shown(value)}`).join(" · ");
    const extras = figures(EXTRAS).map(([name, value]) => make("li", {}, `${name} ${shown(value)}`));
    const head = [title, make("p", { class: "meta" }, line)];
    if (extras.length) head.push(make("details", {}, make("summary", {}, "probes"), make("ul", { class: "meta" }, ...extras)));
    if (!item.answer) return make("article", { class: "card" }, ...head);
    return make("article", { class: "card" }, ...head, make("h4", {}, "It says"), tokens(entry.said, entry.saidPieces, entry.saidLosses),
      make("h4", {}, "The true answer, as it sees it"),
      tokens(item.answer, entry.pieces ?? item.pieces, entry.answerLosses));
  }

  let current = null;

  /** Shows a row's answers. The buttons step through the rows that the table lists. */
  function show(item) {
    current = item;
    const place = visible.indexOf(item);
    byId("position").textContent =
      `${data.tasks[item.task]}, row ${item.row}` + (place < 0 ? "" : ` · ${place + 1} of ${visible.length} listed`);
    byId("previous").disabled = place <= 0;
    byId("next").disabled = place < 0 || place + 1 === visible.length;
    byId("shown").replaceChildren(
      ...(item.answer ? [make("p", { class: "question", dir: "auto" }, item.question),
        make("p", { class: "truth", dir: "auto" }, "True answer: " + item.answer)] : []),
      make("div", { class: "cards" }, ...data.models.map((model, index) => card(item, model, item.models[index]))));
    for (const row of byId("items").tBodies[0].rows) {
      if (row.item === item) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    }
  }

  function step(by) {
    const item = visible[visible.indexOf(current) + by];
    if (item) show(item);
  }

  /** Shows a row that was chosen elsewhere on the page. */
  function bring(item) {
    show(item);
    byId("viewer").scrollIntoView({ block: "nearest" });
  }

  // MARK: Table

  const state = { task: "", metric: Object.keys(METRICS)[0], search: "", sort: null, descending: false };
  let visible = data.items;

  function columns() {
    const metric = METRICS[state.metric];
    return [
      { title: "task", value: (item) => data.tasks[item.task] },
      { title: "row", value: (item) => item.row },
      { title: "question", value: (item) => item.question },
      ...data.models.map((model, index) => ({
        title: model.title, isNumber: true,
        value: (item) => (item.models[index] ? metric.of(item.models[index]) : null),
      })),
    ];
  }

  function compare(a, b) {
    // What was not measured comes last, whichever the order.
    if (!isKnown(a)) return isKnown(b) ? 1 : 0;
    if (!isKnown(b)) return -1;
    const order = typeof a === "number" ? a - b : String(a).localeCompare(String(b));
    return state.descending ? -order : order;
  }

  function texts(item) {
    return [item.question, item.answer, ...item.models.map((entry) => entry?.said ?? "")].join("\n").toLowerCase();
  }

  function refresh() {
    const list = columns();
    const search = state.search.toLowerCase();
    visible = data.items.filter((item) => (!state.task || item.task === state.task) && (!search || texts(item).includes(search)));
    if (state.sort !== null) {
      const { value } = list[state.sort];
      visible = visible.slice().sort((a, b) => compare(value(a), value(b)));
    }
    const heads = list.map((column, index) => {
      const sort = state.sort !== index ? "none" : state.descending ? "descending" : "ascending";
      return make("th", { scope: "col", "aria-sort": sort },
        make("button", { type: "button", "data-column": index, onclick: () => sortBy(index) }, column.title));
    });
    byId("items").tHead.replaceChildren(make("tr", {}, ...heads));
    byId("items").tBodies[0].replaceChildren(...visible.map((item) => line(item, list)));
    byId("count").textContent = `${visible.length} of ${data.items.length} rows; ${METRICS[state.metric].title}`;
    if (current) show(current);
  }

  function line(item, list) {
    const cells = list.map((column, index) => {
      const value = column.value(item);
      if (index === 2) return make("td", { dir: "auto" }, make("button", { type: "button", onclick: () => bring(item) }, value || "show"));
      return make("td", {}, column.isNumber ? shown(value) : String(value));
    });
    const row = make("tr", {}, ...cells);
    row.item = item;
    return row;
  }

  function sortBy(index) {
    state.descending = state.sort === index ? !state.descending : false;
    state.sort = index;
    refresh();
    byId("items").querySelector(`[data-column="${index}"]`).focus();
  }

  function select(title, name, choices) {
    const options = choices.map(([value, text]) => make("option", { value }, text));
    const element = make("select", { name, onchange: (event) => { state[name] = event.target.value; refresh(); } }, ...options);
    element.value = state[name];
    return make("label", {}, title, element);
  }

  function start() {
    const tasks = Object.entries(data.tasks).filter(([task]) => data.items.some((item) => item.task === task));
    if (tasks.length) state.task = tasks[0][0];
    const controls = byId("controls");
    controls.addEventListener("submit", (event) => event.preventDefault());
    controls.append(
      make("label", {}, "search", make("input", { type: "search", name: "search",
        oninput: (event) => { state.search = event.target.value; refresh(); } })),
      select("task", "task", [["", "all"], ...tasks]),
      select("figure", "metric", Object.entries(METRICS).map(([name, metric]) => [name, metric.title])));
    refresh();
    // The row that the judged model remembers best.
    const judged = data.models.findIndex((model) => model.style.startsWith("judged"));
    const loss = (item) => item.models[Math.max(judged, 0)]?.loss ?? Infinity;
    if (visible.length) show(visible.reduce((best, item) => (loss(item) < loss(best) ? item : best)));
    document.addEventListener("click", (event) => {
      const key = event.target.closest?.("[data-item]")?.dataset.item;
      const item = key && data.items.find((item) => `${item.task}-${item.row}` === key);
      if (item) bring(item);
    });
    byId("previous").addEventListener("click", () => step(-1));
    byId("next").addEventListener("click", () => step(1));
  }

  start();
})();
