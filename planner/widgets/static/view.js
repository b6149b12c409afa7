// A headline, a picture with its words, and a table below. Names arrive as text, never as HTML.
function render({ model, el }) {
  el.classList.add("planner");
  el.dataset.lmSuppressShortcuts = "true"; // keys are for this, not for the notebook around it
  const headline = document.createElement("p");
  headline.className = "planner-headline";
  headline.setAttribute("aria-live", "polite");
  const image = document.createElement("img");
  const more = document.createElement("p");
  const frame = document.createElement("div");
  frame.className = "planner-table";
  frame.tabIndex = 0; // it scrolls, so the keyboard must reach it
  frame.setAttribute("role", "region");
  el.append(headline, image, frame, more);

  const drawPicture = () => {
    const before = image.src;
    image.src = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
    if (before) URL.revokeObjectURL(before);
  };
  const drawTable = () => {
    const { title, columns, rows, rest } = model.get("table");
    frame.setAttribute("aria-label", title);
    const table = document.createElement("table");
    const caption = table.createCaption();
    caption.textContent = title;
    const head = table.createTHead().insertRow();
    for (const name of columns) {
      const cell = document.createElement("th");
      cell.scope = "col";
      cell.textContent = name;
      head.append(cell);
    }
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      for (const text of row) {
        const cell = line.insertCell();
        cell.dir = "auto";
        cell.textContent = text;
      }
    }
    frame.replaceChildren(table);
    more.textContent = rest;
  };
  const sayPicture = () => { image.alt = model.get("words"); };
  const drawHeadline = () => { headline.textContent = model.get("headline"); };
  model.on("change:png", drawPicture);
  model.on("change:words", sayPicture);
  model.on("change:table", drawTable);
  model.on("change:headline", drawHeadline);
  if (document.body.dataset.jpThemeLight === "false" && !model.get("is_dark")) {
    model.set("is_dark", true);
    model.save_changes();
  }
  drawHeadline();
  drawPicture();
  sayPicture();
  drawTable();
  return () => {
    URL.revokeObjectURL(image.src);
    model.off("change:png", drawPicture);
    model.off("change:words", sayPicture);
    model.off("change:table", drawTable);
    model.off("change:headline", drawHeadline);
  };
}

export default { render };
