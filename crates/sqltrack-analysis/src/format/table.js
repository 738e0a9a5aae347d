// Sorts a table by the column whose header is clicked, and the other way round on the next click.
(() => {
  "use strict";
  const order = (row, column) => {
    const cell = row.cells[column];
    const key = cell.dataset.order ?? cell.textContent;
    const number = Number(key);
    return key.trim() !== "" && !Number.isNaN(number) ? number : key;
  };
  const compare = (a, b) => {
    if (typeof a === typeof b) return typeof a === "number" ? a - b : a.localeCompare(b);
    return typeof a === "number" ? -1 : 1;
  };
  const sort = (table, header) => {
    const direction = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
    for (const other of header.parentElement.cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
    const column = header.cellIndex;
    const rows = [...table.tBodies[0].rows].map((row) => [order(row, column), row]);
    rows.sort(([a], [b]) => direction * compare(a, b));
    table.tBodies[0].append(...rows.map(([, row]) => row));
  };
  for (const table of document.querySelectorAll(".sqltrack-table:not([data-ready])")) {
    table.dataset.ready = "";
    for (const header of table.tHead.rows[0].cells) {
      header.tabIndex = 0;
      header.addEventListener("click", () => sort(table, header));
      header.addEventListener("keydown", (event) => event.key === "Enter" && sort(table, header));
    }
  }
})();
