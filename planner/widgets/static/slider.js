// A native slider: it has a label, works by keyboard, and says its value in words.
function render({ model, el }) {
  el.classList.add("planner");
  el.dataset.lmSuppressShortcuts = "true"; // keys are for this, not for the notebook around it
  const id = `planner-slider-${Math.random().toString(36).slice(2)}`;
  const label = document.createElement("label");
  const input = document.createElement("input");
  const output = document.createElement("output");
  label.htmlFor = output.htmlFor = input.id = id;
  input.type = "range";
  input.step = 1;
  const words = (value) =>
    model.get("is_day") ? new Date(value * 86_400_000).toISOString().slice(0, 10) : String(value);
  const show = () => {
    label.textContent = model.get("label");
    input.min = model.get("minimum");
    input.max = model.get("maximum");
    input.value = model.get("value");
    say();
  };
  const say = () => {
    output.textContent = words(input.valueAsNumber);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  const take = () => {
    say(); // at once; the kernel answers when it can, and only to the last value
    model.set("value", input.valueAsNumber);
    model.save_changes();
  };
  input.addEventListener("input", take);
  // The browser's own keys, done here: JupyterLab keeps arrows from what is inside an output.
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
  input.addEventListener("keydown", (event) => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopPropagation();
    input.valueAsNumber += steps[event.key];
    take();
  });
  model.on("change", show);
  show();
  const row = document.createElement("div");
  row.className = "planner-slider";
  row.append(label, input, output);
  el.append(row);
  return () => model.off("change", show);
}

export default { render };
