"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const bar = document.createElement("div");
  bar.className = "search";
  const input = document.createElement("input");
  input.type = "search";
  input.placeholder = "Search · Поиск";
  input.setAttribute("aria-label", "Search · Поиск");
  const count = document.createElement("small");
  count.setAttribute("role", "status");
  bar.append(input, count);
  table.closest(".wide").before(bar);
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    let shown = 0;
    for (const row of body.rows) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      shown += row.hidden ? 0 : 1;
    }
    count.textContent = shown + " / " + body.rows.length;
  });
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const ascending = head.getAttribute("aria-sort") !== "ascending";
      for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const index = head.cellIndex;
      const rows = Array.from(body.rows, (row) => [row.cells[index].textContent, row]);
      rows.sort((a, b) => a[0].localeCompare(b[0], undefined, { numeric: true }) * (ascending ? 1 : -1));
      body.append(...rows.map((entry) => entry[1]));
    });
  }
}
