// Buttons that copy what stands in the box they name. Without this script the boxes are there all the same.
(() => {
  "use strict";
  const copied = async (box) => {
    try {
      await navigator.clipboard.writeText(box.value);
      return true;
    } catch { // on plain http, or forbidden
      const at = document.activeElement;
      box.select();
      const done = document.execCommand("copy");
      at.focus();
      return done;
    }
  };
  for (const button of document.querySelectorAll("button[data-copies]")) {
    const box = document.getElementById(button.dataset.copies);
    const said = document.getElementById(button.dataset.says);
    button.hidden = false;
    button.addEventListener("click", async () => {
      said.textContent = await copied(box) ? "Copied." : "Your browser let nothing be copied.";
    });
  }
})();
