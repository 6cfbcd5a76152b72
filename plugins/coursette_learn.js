// Asks the Moodle page that opened this window for its table of participants, and puts it into the form.
// Nothing is taken over before the teacher clicks.
(() => {
  "use strict";
  const form = document.querySelector("form[data-origin]");
  if (!form) return;
  const say = (text) => { document.getElementById("state").textContent = text; };
  if (!window.opener) {
    say("This window has lost its Moodle page: close it, and click the button there once more.");
    return;
  }
  window.addEventListener("message", ({ source, origin, data }) => {
    if (source !== window.opener || origin !== form.dataset.origin || data?.coursette !== "page") return;
    const people = new Set([...String(data.html).matchAll(/\bname="user(\d+)"/g)].map(([, id]) => id));
    form.elements.page.value = String(data.html);
    // A moment later, so that no click meant for another window lands on it.
    setTimeout(() => { form.querySelector("button").disabled = !people.size; }, 1000);
    say(people.size ? `The page shows ${people.size} people.` : "The page shows nobody: open Participants, Show all.");
  });
  window.opener.postMessage({ coursette: "teach" }, form.dataset.origin);
})();
