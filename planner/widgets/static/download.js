// A button; the kernel makes the file when it is pressed, so it is never stale.
function render({ model, el }) {
  el.classList.add("planner");
  el.dataset.lmSuppressShortcuts = "true"; // keys are for this, not for the notebook around it
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `Download ${model.get("file")}`;
  button.addEventListener("click", () => {
    button.disabled = true;
    model.send("download");
  });
  const receive = (content, buffers) => {
    if (content !== "file" || !button.disabled) return; // another view of this button asked
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([buffers[0]], { type: "text/csv" }));
    link.download = model.get("file");
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    button.disabled = false;
  };
  model.on("msg:custom", receive);
  el.append(button);
  return () => model.off("msg:custom", receive);
}

export default { render };
