// The small window that asks for a Moodle page which may not ask itself. It answers to the origin it was opened for and
// to no other, and only what that page's own token may read: the server checks the token against this very origin.
(() => {
  "use strict";
  const home = location.hash.slice(1); // https://moodle.example.edu
  const page = window.opener;
  const base = document.querySelector("[data-base]").dataset.base;
  const PATHS = ["/-/usage.json", "/-/access.json", "/-/people.json", "/-/student.json", "/-/refresh.json"];
  const HANDING_IN = "/-/refresh"; // a file goes here, and nowhere else
  const say = (text) => { document.getElementById("state").textContent = text; };
  if (!page || !/^https?:\/\/[^/]+$/.test(home)) {
    say("This window belongs beside a Moodle page, which opens it.");
    return;
  }
  let answered = 0;
  const answer = async ({ id, path, token, body }) => {
    const asked = new URL(String(path), location.origin);
    const file = asked.pathname === HANDING_IN && body instanceof Blob ? body : null;
    if (!file && !PATHS.includes(asked.pathname)) return;
    const headers = { Authorization: `Bearer ${String(token)}`, "Coursette-Origin": home };
    try {
      const how = { headers, credentials: "omit", cache: "no-store", ...(file && { method: "POST", body: file }) };
      const found = await fetch(base + asked.pathname + asked.search, how);
      page.postMessage({ coursette: "answer", id, status: found.status, text: await found.text() }, home);
      answered += 1;
      say(`${answered} answer${answered === 1 ? "" : "s"} given.`);
    } catch {
      page.postMessage({ coursette: "answer", id, status: 0, text: "" }, home);
      say("Coursette does not answer any more: is it still running?");
    }
  };
  window.addEventListener("message", ({ source, origin, data }) => {
    if (source === page && origin === home && data?.coursette === "ask") answer(data);
  });
  const ready = () => page.postMessage({ coursette: "ready" }, home);
  document.getElementById("home").textContent = home;
  ready();
  setInterval(ready, 1000); // the Moodle page may have gone on to another one
})();
