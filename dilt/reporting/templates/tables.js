import DataTable from "{{ datatables | safe }}";

// What is read aloud: a table's pages are named after it, and what scrolls with it is what can be scrolled to.
const name = (table) => {
  const box = table.closest(".scroll");
  box.querySelector("nav")?.setAttribute("aria-label", `Pages of ${box.getAttribute("aria-label")}`);
  for (const attribute of ["tabindex", "role", "aria-label"]) {
    table.parentElement.setAttribute(attribute, box.getAttribute(attribute));
    box.removeAttribute(attribute);
  }
};

// A table is made sortable when it is first seen: what is folded away has no widths, and costs nothing.
const enhance = (table) => new DataTable(table, {
  initComplete: () => name(table),
  order: [],
  autoWidth: false,
  paging: table.tBodies[0].rows.length > 25,
  pageLength: 25,
  lengthMenu: [10, 25, 100, { label: "all", value: -1 }],
  language: { search: "Filter:", info: "_START_ to _END_ of _TOTAL_", infoFiltered: "(of _MAX_)", lengthMenu: "_MENU_ rows" },
});
for (const table of document.querySelectorAll("table.sortable")) {
  const folded = table.closest("details:not([open])");
  if (folded) folded.addEventListener("toggle", () => enhance(table), { once: true });
  else enhance(table);
}

// A link to what is folded away unfolds it.
const unfold = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target.scrollIntoView();
};
addEventListener("hashchange", unfold);
unfold();
