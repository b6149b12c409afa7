// The board shows the state that the kernel sends and asks it for changes; it decides nothing.
// Names arrive as text (textContent), never as HTML.

const HELP =
  "Drag a card to another week. By keyboard: arrows go from card to card; Space lifts a card, " +
  "left and right choose its week, Space puts it down, Escape leaves it where it was.";
const BUTTONS = [
  ["undo", "Undo"],
  ["redo", "Redo"],
  ["reset", "Reset"],
  ["realign", "Date imports anew"],
  ["save", "Save"],
];
const DRAG_FROM = 4; // pixels: less is a click

function make(tag, className, text, parent) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

function render({ model, el }) {
  const root = make("div", "planner planner-board", undefined, el);
  root.dataset.lmSuppressShortcuts = "true"; // keys are for the board, not for the notebook
  const toolbar = make("div", "toolbar", undefined, root);
  toolbar.setAttribute("role", "toolbar");
  toolbar.setAttribute("aria-label", "Plan");
  const totals = make("ul", "totals", undefined, root);
  const help = make("p", "says", HELP, root);
  help.id = `planner-help-${Math.random().toString(36).slice(2)}`;
  const weeks = make("div", "weeks", undefined, root);
  weeks.setAttribute("role", "group");
  weeks.setAttribute("aria-label", "Weeks of the plan");
  weeks.setAttribute("aria-describedby", help.id);
  weeks.tabIndex = 0;
  const says = make("p", "says", "", root);
  says.setAttribute("role", "status");
  const reasons = make("div", "reasons", undefined, root);
  const legend = make("ul", "legend", undefined, root);

  let active = 0; // the card that Tab reaches
  let lifted = null; // { number, week } while a card is moved by keyboard
  let drag = null; // { card, x, y, ghost, week } while one is dragged
  let isStale = false; // a state came during a drag

  const buttons = BUTTONS.map(([what, text]) => {
    const button = make("button", "", text, toolbar);
    button.type = "button";
    button.addEventListener("click", () => model.send({ do: what }));
    return [what, button];
  });

  const cardOf = (number) => weeks.querySelector(`[data-card="${number}"]`);
  const columnOf = (week) => weeks.querySelector(`[data-week="${week}"]`);
  const state = () => model.get("state");

  function drawWeek(week, cards) {
    const column = make("section", "week");
    column.dataset.week = week.week;
    column.setAttribute("aria-label", `Week of ${week.week}`);
    const head = make("div", "head", undefined, column);
    make("h3", "", week.week, head);
    if (week.freeze) make("p", "freeze", `Freeze: ${week.freeze}`, head).dir = "auto";
    for (const { name, used, limit } of week.bars) {
      const isOver = limit !== null && used > limit;
      const bar = make("div", isOver ? "bar over" : "bar", undefined, head);
      make("span", "", name, bar);
      make("span", "", `${used}${limit === null ? "" : ` of ${limit}`}${isOver ? " !" : ""}`, bar);
      const share = limit === null ? 0 : Math.min(1, used / Math.max(1, limit));
      bar.style.setProperty("--share", `${100 * share}%`);
    }
    const modes = make("div", "modes", undefined, head);
    modes.setAttribute("role", "img");
    const words = [];
    week.modes.forEach((count, place) => {
      if (!count) return;
      const [letter, name, colour, ink] = state().legend.modes[place];
      const part = make("span", "", letter, modes);
      part.style.color = ink;
      part.style.flex = `${count} 0 0`;
      part.style.background = colour;
      words.push(`${count} ${name}`);
    });
    modes.setAttribute("aria-label", `Sessions at its end: ${words.join(", ") || "none"}`);
    const list = make("ul", "", undefined, column);
    list.setAttribute("aria-label", `Cards of ${week.week}`);
    for (const card of cards) {
      const item = make("li", "", undefined, list);
      const button = make("button", `planner-card ${card.kind}`, undefined, item);
      button.type = "button";
      button.dataset.card = card.number;
      button.tabIndex = card.number === active ? 0 : -1;
      button.setAttribute("aria-pressed", "false");
      make("span", "name", card.name, button).dir = "auto";
      if (card.mark) {
        const mark = make("span", `mark mark-${card.mark}`, card.mark, button);
        mark.title = state().legend.marks.find(([letter]) => letter === card.mark)[1];
      }
      make("span", "detail", card.detail, button).dir = "auto";
      if (card.reasons.length) make("span", "why", card.reasons[0], button).dir = "auto";
    }
    return column;
  }

  function draw() {
    if (drag) {
      isStale = true;
      return;
    }
    const { weeks: all, cards, totals: numbers, can, says: words, legend: signs } = state();
    const hadFocus = weeks.contains(document.activeElement) && document.activeElement !== weeks;
    const { scrollLeft, scrollTop } = weeks;
    const ofWeek = new Map(all.map((week) => [week.week, []]));
    for (const card of cards) ofWeek.get(card.week).push(card);
    weeks.replaceChildren(...all.map((week) => drawWeek(week, ofWeek.get(week.week))));
    weeks.scrollLeft = scrollLeft;
    weeks.scrollTop = scrollTop;
    for (const [what, button] of buttons) {
      button.hidden = !(what in can);
      button.disabled = !can[what];
    }
    totals.replaceChildren(
      ...numbers.map(([name, value]) => {
        const item = make("li");
        make("span", "", name, item);
        make("strong", "", value, item);
        return item;
      }),
    );
    if (words) says.textContent = words;
    legend.replaceChildren(
      ...signs.marks.map(([letter, meaning]) => {
        const item = make("li");
        make("span", `mark mark-${letter}`, letter, item);
        make("span", "", meaning, item);
        return item;
      }),
      ...signs.modes.map(([letter, name, colour, ink]) => {
        const item = make("li");
        const swatch = make("span", "swatch", letter, item);
        swatch.style.background = colour;
        swatch.style.color = ink;
        make("span", "", name, item);
        return item;
      }),
    );
    drawReasons();
    if (hadFocus) focusOn(active);
  }

  function drawReasons() {
    const card = state().cards[active];
    reasons.replaceChildren();
    if (!card) return;
    make("h3", "", `${card.name}, week of ${card.week}`, reasons).dir = "auto";
    const lines = card.reasons.length ? card.reasons : ["Nothing stands against this day."];
    for (const line of lines) make("p", "", line, reasons).dir = "auto";
  }

  function focusOn(number) {
    const card = cardOf(number);
    if (!card) return;
    const before = cardOf(active);
    if (before) before.tabIndex = -1;
    active = number;
    card.tabIndex = 0;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest", inline: "nearest" });
    drawReasons();
  }

  function aim(week) {
    for (const column of weeks.children) column.classList.toggle("target", column.dataset.week === week);
    if (week) columnOf(week)?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  function ask(number, week) {
    active = number;
    if (week && week !== state().cards[number].week) model.send({ do: "move", card: number, week });
  }

  // --- by keyboard ---------------------------------------------------------------------------

  function put() {
    if (!lifted) return;
    cardOf(lifted.number)?.setAttribute("aria-pressed", "false");
    lifted = null;
    aim(null);
  }

  function neighbour(number, key) {
    const own = cardOf(number);
    const list = [...own.closest("ul").querySelectorAll(".planner-card")];
    const place = list.indexOf(own);
    if (key === "ArrowUp" || key === "ArrowDown") return list[place + (key === "ArrowUp" ? -1 : 1)];
    let column = own.closest(".week");
    do {
      column = key === "ArrowLeft" ? column.previousSibling : column.nextSibling;
    } while (column && !column.querySelector(".planner-card"));
    const there = column ? [...column.querySelectorAll(".planner-card")] : [];
    return there[Math.min(place, there.length - 1)];
  }

  root.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey)) {
      model.send({ do: event.shiftKey ? "redo" : "undo" });
      event.preventDefault();
      return;
    }
    const card = event.target.closest(".planner-card");
    if (!card) return;
    const number = Number(card.dataset.card);
    const isSideways = event.key === "ArrowLeft" || event.key === "ArrowRight";
    if (event.key === " " || event.key === "Enter") {
      if (lifted) {
        const { week } = lifted;
        put();
        ask(number, week);
      } else {
        lifted = { number, week: state().cards[number].week };
        card.setAttribute("aria-pressed", "true");
        aim(lifted.week);
        says.textContent = `Lifted ${state().cards[number].name}.`;
      }
    } else if (event.key === "Escape" && lifted) {
      put();
      says.textContent = "Left where it was.";
    } else if (lifted && isSideways) {
      const days = state().weeks.map((week) => week.week);
      const place = days.indexOf(lifted.week) + (event.key === "ArrowLeft" ? -1 : 1);
      if (days[place]) {
        lifted.week = days[place];
        aim(lifted.week);
        says.textContent = `To the week of ${lifted.week}.`;
      }
    } else if (!lifted && (isSideways || event.key === "ArrowUp" || event.key === "ArrowDown")) {
      const next = neighbour(number, event.key);
      if (next) focusOn(Number(next.dataset.card));
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  });
  weeks.addEventListener("focusout", (event) => {
    if (lifted && !weeks.contains(event.relatedTarget)) put();
  });

  // --- by pointer ----------------------------------------------------------------------------

  // The list keeps the pointer, not the card: a drop on another column is then reported here.
  weeks.addEventListener("pointerdown", (event) => {
    const card = event.target.closest(".planner-card");
    if (!card || event.button !== 0) return;
    put();
    focusOn(Number(card.dataset.card));
    drag = { card, x: event.clientX, y: event.clientY, ghost: null, week: null };
    weeks.setPointerCapture(event.pointerId);
    event.preventDefault(); // no selection of text
  });
  weeks.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.ghost) {
      if (Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < DRAG_FROM) return;
      drag.ghost = drag.card.cloneNode(true);
      drag.ghost.classList.add("planner-ghost");
      drag.ghost.removeAttribute("data-card");
      drag.card.classList.add("lifted");
      root.append(drag.ghost);
    }
    drag.ghost.style.left = `${event.clientX + 6}px`;
    drag.ghost.style.top = `${event.clientY + 6}px`;
    const { left, right } = weeks.getBoundingClientRect();
    if (event.clientX > right - 40) weeks.scrollLeft += 24;
    if (event.clientX < left + 40) weeks.scrollLeft -= 24;
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const column = under?.closest(".week");
    drag.week = column && weeks.contains(column) ? column.dataset.week : null;
    for (const each of weeks.children) each.classList.toggle("target", each === column);
  });
  const drop = (event) => {
    if (!drag) return;
    const { card, ghost, week } = drag;
    drag = null;
    ghost?.remove();
    card.classList.remove("lifted");
    aim(null);
    if (event.type === "pointerup" && week) ask(Number(card.dataset.card), week);
    if (isStale) {
      isStale = false;
      draw();
    }
  };
  weeks.addEventListener("pointerup", drop);
  weeks.addEventListener("pointercancel", drop);

  weeks.addEventListener("focusin", (event) => {
    const card = event.target.closest(".planner-card");
    if (card && Number(card.dataset.card) !== active) focusOn(Number(card.dataset.card));
  });

  model.on("change:state", draw);
  draw();
  requestAnimationFrame(() => {
    const first = weeks.querySelector(".planner-card")?.closest(".week");
    if (first) weeks.scrollLeft = first.offsetLeft - weeks.offsetLeft - 8;
  });
  return () => model.off("change:state", draw);
}

export default { render };
