(function () {
  "use strict";
  document.querySelectorAll("table.sortable").forEach(function (table) {
    var body = table.tBodies[0];
    table.querySelectorAll("thead th[data-sort]").forEach(function (head) {
      var button = document.createElement("button");
      button.type = "button";
      while (head.firstChild) button.appendChild(head.firstChild);
      head.appendChild(button);
      button.addEventListener("click", function () {
        var first = head.dataset.sort === "text" ? "ascending" : "descending";
        var other = first === "ascending" ? "descending" : "ascending";
        var order = head.getAttribute("aria-sort") === first ? other : first;
        var sign = order === "ascending" ? 1 : -1;
        var at = head.dataset.at;
        var rows = Array.from(body.rows).map(function (row) {
          var cell = row.cells[at];
          var value = head.dataset.sort === "text" ? cell.textContent.trim() : parseFloat(cell.dataset.v);
          return { row: row, value: value };
        });
        rows.sort(function (a, b) {
          if (head.dataset.sort === "text") return sign * a.value.localeCompare(b.value);
          if (isNaN(a.value) || isNaN(b.value)) return isNaN(a.value) - isNaN(b.value);
          return sign * (a.value - b.value);
        });
        table.querySelectorAll("[aria-sort]").forEach(function (th) { th.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", order);
        rows.forEach(function (item) { body.appendChild(item.row); });
      });
    });
  });
})();
