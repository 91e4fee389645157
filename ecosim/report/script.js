"use strict";
// Sorting and choosing. The page is whole without it; it asks nothing of any network.
(() => {
  const all = (root, what) => [...root.querySelectorAll(what)];
  const make = (name, text, parent) => {
    const it = document.createElement(name);
    it.textContent = text;
    if (parent) parent.append(it);
    return it;
  };
  const UNITS = {k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18};
  const worth = (cell) => {
    if (!cell) return NaN;
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    const found = cell.textContent.trim().replace(/−/g, "-").replace(/,/g, "").match(/^([+-]?[\d.]+(?:e[+-]?\d+)?)([kMGTPE]?)(?=$|[ %…])/);
    return found ? Number(found[1]) * (UNITS[found[2]] || 1) : NaN;
  };
  const words = new Intl.Collator("en", {numeric: true});
  const compare = (column, isNumber, way) => (a, b) => {
    if (!isNumber) return way * words.compare(a.cells[column].textContent, b.cells[column].textContent);
    const x = worth(a.cells[column]), y = worth(b.cells[column]);
    if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
    return way * (x - y);
  };
  const sort = (table, head, column, body, asWritten) => {
    const next = {none: "descending", descending: "ascending", ascending: "none"};
    const text = {none: "ascending", ascending: "descending", descending: "none"};
    const isNumber = head.classList.contains("number");
    const order = (isNumber ? next : text)[head.getAttribute("aria-sort")];
    for (const other of all(table, "thead th")) other.setAttribute("aria-sort", "none");
    head.setAttribute("aria-sort", order);
    table.classList.toggle("sorted", order !== "none");
    const rows = asWritten.filter((row) => !row.classList.contains("heading"));
    if (order === "none") body.replaceChildren(...asWritten);
    else body.replaceChildren(...rows.sort(compare(column, isNumber, order === "ascending" ? 1 : -1)));
  };
  for (const table of all(document, "table.sortable")) {
    const body = table.tBodies[0], asWritten = [...body.rows];
    all(table, "thead th").forEach((head, column) => {
      head.setAttribute("aria-sort", "none");
      const button = make("button", head.textContent);
      button.type = "button";
      button.addEventListener("click", () => sort(table, head, column, body, asWritten));
      head.replaceChildren(button);
    });
  }
  const picker = (label, options, bar, change) => {
    const it = make("label", label + " ", bar), select = make("select", "", it);
    for (const [value, text] of options) make("option", text, select).value = value;
    select.addEventListener("change", change);
    return select;
  };
  for (const box of all(document, ".pick")) {
    const items = all(box, ":scope > article"), bar = document.createElement("div");
    const facets = (item) => JSON.parse(item.dataset.facets), figures = (item) => JSON.parse(item.dataset.figures || "{}");
    bar.className = "bar-of-choices";
    bar.setAttribute("role", "group");
    bar.setAttribute("aria-label", "Choose what is shown");
    const told = document.createElement("output");
    const selects = {};
    let order = null;
    const show = () => {
      const fits = (item) => Object.entries(selects).every(([name, s]) => !s.value || (facets(item)[name] || "").split("|").includes(s.value));
      for (const item of items) item.hidden = !fits(item);
      const by = order && order.value;
      box.append(...(by ? [...items].sort((a, b) => figures(b)[by] - figures(a)[by]) : items));
      const left = items.filter((item) => !item.hidden);
      told.textContent = `${left.length} of ${items.length} shown`;
      if (left.length && !left.some((item) => item.querySelector(":scope > details[open]"))) {
        const fold = left[0].querySelector(":scope > details");
        if (fold) fold.open = true;
      }
    };
    for (const name of [...new Set(items.flatMap((item) => Object.keys(facets(item))))]) {
      const values = [...new Set(items.flatMap((item) => (facets(item)[name] || "").split("|")))].filter(Boolean);
      if (values.length > 1) selects[name] = picker(name, [["", "any"], ...values.map((v) => [v, v])], bar, show);
    }
    const names = [...new Set(items.flatMap((item) => Object.keys(figures(item))))];
    if (names.length) order = picker("sort by", [["", "as chosen"], ...names.map((n) => [n, n])], bar, show);
    bar.append(told);
    box.prepend(bar);
    told.textContent = `${items.length} of ${items.length} shown`;
  }
})();
