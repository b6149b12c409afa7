// Says when the session behind the page has ended: nobody used it for too long, or it was stopped.
const PATIENCE = 15_000; // ms for an answer; a long calculation may take some seconds
const PAUSE = 5_000; // ms between two questions

function render({ model, el }) {
  el.classList.add("planner");
  const banner = document.createElement("p");
  banner.className = "planner-banner";
  banner.setAttribute("role", "alert");
  el.append(banner);
  const idle = model.get("idle_seconds");
  const words =
    `This session has ended: nobody used it for ${Math.max(1, Math.round(idle / 60))} minutes, ` +
    "or the program was stopped. What you saved or downloaded is kept. Reload the page, or start " +
    "`planner app` again, for a new session.";
  let asked = 0;
  let answer = 0;
  let end = 0;
  let later = 0;
  const say = (text) => { banner.textContent = text; };
  const touch = () => {
    clearTimeout(end);
    end = setTimeout(() => say(words), 1000 * idle);
    clearTimeout(later);
    const pause = asked + PAUSE - Date.now();
    if (pause > 0) later = setTimeout(ask, pause);
    else ask();
  };
  const ask = () => {
    asked = Date.now();
    clearTimeout(answer);
    answer = setTimeout(() => say(words), PATIENCE);
    model.send("ping");
  };
  const receive = (content) => {
    if (content !== "pong") return;
    clearTimeout(answer);
    say("");
  };
  model.on("msg:custom", receive);
  document.addEventListener("pointerdown", touch, true);
  document.addEventListener("keydown", touch, true);
  touch();
  // The page around has no landmark of its own.
  requestAnimationFrame(() => el.closest(".planner-room")?.setAttribute("role", "main"));
  return () => {
    clearTimeout(end);
    clearTimeout(later);
    clearTimeout(answer);
    model.off("msg:custom", receive);
    document.removeEventListener("pointerdown", touch, true);
    document.removeEventListener("keydown", touch, true);
  };
}

export default { render };
