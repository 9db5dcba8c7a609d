const search = document.getElementById("search");
if (search) {
  const rows = Array.from(document.querySelectorAll(".rows tbody tr"));
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const found = document.getElementById("found");
  const lang = document.documentElement.lang;
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      count += row.hidden ? 0 : 1;
    });
    const text = count === 1 ? found.dataset.one : found.dataset.other;
    found.textContent = words.length ? text.replace("#", count.toLocaleString(lang)) : "";
  });
}
