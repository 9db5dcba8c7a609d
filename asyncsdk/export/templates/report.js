const search = document.getElementById("search");
if (search) {
  const rows = Array.from(document.querySelectorAll(".rows tbody tr"));
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const found = document.getElementById("found");
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      count += row.hidden ? 0 : 1;
    });
    found.textContent = words.length ? `${count.toLocaleString("en")} ${count === 1 ? "row" : "rows"} found` : "";
  });
}
