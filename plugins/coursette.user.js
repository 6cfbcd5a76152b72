// ==UserScript==
// @name         Coursette
// @namespace    coursette
// @version      0.1.0
// @description  A [details] link beside each person on a Moodle page; it opens their page on your own Coursette.
// @grant        none
// @noframes
// @run-at       document-idle
// ==/UserScript==

// One file, two ways in: a userscript that runs by itself, or the text of a bookmarklet. It only reads the page and
// adds links to it. Nothing is sent anywhere: a click on [details] opens a window on your own server, no more.
((settings) => {
  "use strict";
  // ---- What we know of Moodle (4.1 to 5.1) ----
  // Links that lead to a person: path, parameter with the person, parameter with the course, condition; where seen.
  // An activity report has the person in `user` and the COURSE in `id`. A path that ends in / stands for all below.
  // Left out on purpose: /course/loginas.php, /user/index.php (id is a course), /pluginfile.php (a context).
  const USER_LINKS = [
    ["/user/view.php", "id", "course"], // participants, forum, logs, reports, grader, quiz, blog of a course ...
    ["/user/profile.php", "id"], // blog of the site, messages, search, tables of the site course
    ["/course/user.php", "user", "id"], // outline and complete report
    ["/report/log/user.php", "id", "course"], // profile, log
    ["/report/outline/user.php", "id", "course"], // profile, log
    ["/report/stats/user.php", "id", "course"], // statistics of a person
    ["/report/log/index.php", "user", "id"], // log, filtered to a person
    ["/grade/report/user/index.php", "userid", "id"], // next and previous in the user report
    ["/grade/report/overview/index.php", "userid", "id"], // profile
    ["/grade/report/singleview/index.php", "itemid", "id", "item=user"], // item=grade has a grade item there
    ["/grade/report/singleview/index.php", "userid", "id", "item=user_select"], // the same, later versions
    ["/message/index.php", "id"], // profile, block of online users
    ["/message/index.php", "user2"], // older; user1 is the viewer
    ["/mod/forum/user.php", "id", "course"], // profile, log
    ["/mod/assign/view.php", "userid", "", "action=grader"], // submissions; id is the activity
    ["/notes/index.php", "user", "course"], // profile
    ["/blog/index.php", "userid", "courseid"], // profile
    ["/badges/", "userid"], // badges of a person
    ["/admin/tool/lp/", "userid", "courseid"], // learning plans, competencies
  ];
  const SHOW_NAMES = ["/user/view.php", "/user/profile.php"]; // the text of other links is often no name
  const ACTION = "sesskey"; // a link with this parameter does something

  // Where a row without a link says whom it is about: selector, attribute, how the person is written in it.
  const ATTRIBUTES = [
    ["tr[data-uid]", "data-uid", /^(\d+)$/], // grader report
    ["input[type=checkbox][name^=user]", "name", /^user(\d+)$/], // participants, participation, forum summary
    ["[data-changecompl]", "data-changecompl", /^(\d+)-\d+-/], // activity completion: person-activity-state
  ];

  // A person is marked once in each of these: table row, post (flat, nested, threaded, blog), list item, heading,
  // answer to a choice. Picture and name may be far apart in it. What stands in none is marked once in its region.
  const PLACE = "tr, article, [data-post-id], .forumpost, li, .page-context-header, .user-heading, table.results td";
  const REGION = ".block, .modal, .drawer, #region-main, [role=main], body";
  const HEADER = ".page-context-header, .user-heading"; // of a profile, a blog, grade reports: picture, name, buttons
  const OF_PROFILE = ".profile_tree"; // "Full profile", courses, reports: all of the person in the heading
  const NOT_HERE = ".usermenu, .logininfo, nav, .breadcrumb, .dropdown-menu, [role=menu], [contenteditable=true], "
    + "[contenteditable=''], .editor_atto, .tox, textarea, select"; // the viewer's own, menus, editors
  const NOT_A_NAME = ".userinitials, .accesshide, .sr-only, .visually-hidden, .action-menu, .dropdown, input, label, "
    + "small, .coursette-details"; // initials stand for a picture; the assignment grader adds email and due date
  const PICTURE_OF = "img, .userinitials";
  const VIEWER = "[data-region=popover-region][data-userid]"; // top of the page; older Moodles have no M.cfg.userId
  const VIEWER_LINK = ".logininfo a[href*='/user/profile.php?id=']"; // foot of the page; the last is who one acts as
  const NOT_PRINTED = "d-print-none";
  /** Moodle's own settings; from the page's text where a userscript cannot see the page's variables. */
  const moodleSettings = () => {
    if (window.M?.cfg?.wwwroot) return window.M.cfg;
    for (const { textContent } of document.querySelectorAll("script:not([src])")) {
      const found = /\bM\.cfg\s*=\s*(\{.*?\});/s.exec(textContent);
      try { if (found) return JSON.parse(found[1]); } catch { /* not these */ }
    }
    return null;
  };

  /** Who looks at what: `{site, course, viewer}`, or null if this is no Moodle page. Course 1 is the whole site. */
  const readPage = () => {
    const cfg = moodleSettings();
    if (!/^https?:\/\/[^/]/.test(cfg?.wwwroot)) return null;
    const ofBody = /(?:^|\s)course-(\d+)(?:\s|$)/.exec(document.body.className)?.[1];
    const footer = [...document.querySelectorAll(VIEWER_LINK)].pop()?.href.match(/[?&]id=(\d+)/)?.[1];
    return {
      site: cfg.wwwroot.replace(/\/+$/, ""),
      course: Number(cfg.courseId ?? ofBody ?? 0),
      viewer: Number(cfg.userId || document.querySelector(VIEWER)?.dataset.userid || footer || 0),
    };
  };

  // ---- People on the page ----
  let page, roots; // what readPage() said, and how addresses of this Moodle begin; set by run()
  const plain = (url) => url.replace(/^https?:/, "");
  const known = new Map(); // path -> its rows of USER_LINKS
  const shapesOf = (path) => {
    const fits = ([ours]) => path === ours || (ours.endsWith("/") && path.startsWith(ours));
    if (!known.has(path)) known.set(path, USER_LINKS.filter(fits));
    return known.get(path);
  };

  /** Whom an address leads to: `{user, course, shows}` (does it show a name?), or null for nobody and the viewer. */
  const personIn = (href) => {
    const address = plain(href);
    const root = roots.find((each) => address.startsWith(each));
    const [path, query] = root ? address.slice(root.length - 1).split("#")[0].split("?") : [];
    if (!query || !shapesOf(path).length) return null;
    const given = new URLSearchParams(query.replaceAll("&amp;", "&")); // Moodle escapes some of its links twice
    for (const [, user, course, condition] of shapesOf(path)) {
      const [name, value] = condition?.split("=") ?? [];
      if (!/^[1-9]\d*$/.test(given.get(user)) || given.has(ACTION) || (name && given.get(name) !== value)) continue;
      if (Number(given.get(user)) === page.viewer) return null;
      return { user: Number(given.get(user)), course: Number(given.get(course)), shows: SHOW_NAMES.includes(path) };
    }
    return null;
  };

  const textIn = (node) => {
    if (!node.firstElementChild) return node.textContent;
    return [...node.childNodes].map((part) => (part.matches?.(NOT_A_NAME) ? "" : textIn(part))).join("");
  };
  const nameIn = (element) => textIn(element).replace(/\s+/g, " ").trim();
  const nameOf = (picture) => (picture?.title || picture?.alt || "").trim();

  // How good a spot for the mark is, best first. `at` is the element that the mark follows, or ends if it is no link.
  const [HEADING, NAME, PICTURE, OTHER_LINK, ATTRIBUTE] = [0, 1, 2, 3, 4];
  const atHeading = (person, at) => ({ ...person, rank: HEADING, at, name: nameIn(at) });

  const byLink = (link) => {
    const person = personIn(link.href);
    if (!person || /^(#|$)/.test(link.getAttribute("href")) || link.closest(NOT_HERE)) return []; // "#": this very page
    const heading = link.closest(HEADER)?.querySelector("h1, h2, h3");
    if (heading) return [atHeading(person, heading)];
    const name = nameIn(link);
    if (!person.shows || link.closest(OF_PROFILE)) return name ? [{ ...person, rank: OTHER_LINK, at: link, name }] : [];
    if (name) return [{ ...person, rank: NAME, at: link, name }];
    return [{ ...person, rank: PICTURE, at: link, name: nameOf(link.querySelector(PICTURE_OF)) }];
  };

  /** A profile says in its address whose it is; with messages switched off nothing in its heading does. */
  const byAddress = () => {
    const person = personIn(location.href);
    const header = [...document.querySelectorAll(HEADER)].filter((each) => each.querySelector(PICTURE_OF)).pop();
    const heading = person?.shows && header?.querySelector("h1, h2, h3");
    return heading ? [atHeading(person, heading)] : [];
  };

  const byAttribute = ([selector, attribute, written]) => {
    const rows = new Map(); // row -> person; one look per row, however many cells say the same
    for (const element of document.querySelectorAll(selector)) {
      const row = element.closest("tr");
      if (row && !rows.has(row)) rows.set(row, Number(written.exec(element.getAttribute(attribute))?.[1] ?? 0));
    }
    const others = [...rows].filter(([row, user]) => user && user !== page.viewer && !row.closest(NOT_HERE));
    return others.map(([row, user]) => {
      const at = row.querySelector(":scope > th") ?? [...row.cells].find(nameIn) ?? row;
      return { user, course: 0, rank: ATTRIBUTE, at, name: nameIn(at) };
    });
  };

  /** The people to mark, one for each person and place: a map from the element `at` to the person. */
  const people = () => {
    const found = [...byAddress(), ...[...document.links].flatMap(byLink), ...ATTRIBUTES.flatMap(byAttribute)];
    const taken = new Map(); // where -> the people marked in it
    const names = new Map(); // person -> name
    const chosen = new Map();
    for (const person of found.sort((a, b) => a.rank - b.rank)) {
      const { at, rank, user } = person;
      const [region, row] = [at.closest(REGION), at.closest("tr")];
      const place = at.closest(PLACE) ?? (rank === NAME ? at.parentElement : region);
      const near = { [OTHER_LINK]: [place, document], [ATTRIBUTE]: [row] }[rank] ?? [place];
      if (near.some((where) => taken.get(where)?.has(user))) continue;
      for (const where of [place, row, region, ...(rank === HEADING ? [document] : [])]) {
        taken.set(where, (taken.get(where) ?? new Set()).add(user));
      }
      if (rank <= PICTURE && person.name && !names.has(user)) names.set(user, person.name);
      const name = (rank >= OTHER_LINK && names.get(user)) || person.name || names.get(user) || `person ${user}`;
      chosen.set(at, { ...person, label: `details of ${name}` });
    }
    return chosen;
  };

  // ---- Marks ----
  const MARK = "coursette-details";
  const marks = new Map(); // element -> the mark at it
  const LOOK = "margin-inline-start: .4em; font-size: 13px; font-weight: 400; font-style: normal; line-height: 1; "
    + "align-self: center; white-space: nowrap; user-select: none"; // the font is the page's

  const addressFor = ({ user, course }) => {
    const ofCourse = [course, page.course].find((id) => id > 1);
    const query = `${ofCourse ? `course=${ofCourse}&` : ""}user=${user}&site=${encodeURIComponent(page.site)}`;
    return `${settings.server}/-/student?${query}`;
  };

  const blank = Object.assign(document.createElement("a"), { className: `${MARK} ${NOT_PRINTED}`, target: "_blank",
    rel: "noopener", lang: "en", dir: "ltr", textContent: "[details]" });
  blank.style.cssText = LOOK;
  const addMark = (at, person) => {
    const mark = blank.cloneNode(true);
    mark.href = addressFor(person);
    mark.dataset.user = person.user;
    mark.setAttribute("aria-label", person.label);
    if (at.tagName === "A") at.after(mark); else at.append(mark);
    marks.set(at, mark);
  };

  const stands = (mark, at, person) => mark.isConnected && (mark.previousSibling === at || mark.parentElement === at)
    && mark.href === addressFor(person) && mark.getAttribute("aria-label") === person.label;

  /** Bring the marks in step with the page: remove what is out of place, add what is missing, touch nothing else. */
  const scan = () => {
    const wanted = people();
    for (const [at, mark] of marks) {
      if (wanted.has(at) && stands(mark, at, wanted.get(at))) continue;
      mark.remove();
      marks.delete(at);
    }
    const ours = new Set(marks.values());
    document.querySelectorAll(`.${MARK}`).forEach((mark) => ours.has(mark) || mark.remove()); // copies Moodle made
    wanted.forEach((person, at) => marks.has(at) || addMark(at, person));
    return wanted.size;
  };

  /** A plain click opens one pop-up, used again for the next person; with Ctrl, Shift or the wheel it is any link. */
  const open = (event) => {
    const mark = event.target.closest?.(`.${MARK}`);
    if (!mark) return;
    event.stopPropagation(); // rows and cards of Moodle have clicks of their own
    if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const popup = window.open(mark.href, "coursette-student", "popup,width=640,height=800");
    if (!popup) return; // pop-ups are blocked: the link itself opens a tab
    event.preventDefault();
    popup.focus();
  };

  /** A small message in the corner, gone after a while or on a click. */
  const say = (text) => {
    document.getElementById("coursette-note")?.remove();
    const note = document.createElement("div");
    Object.assign(note, { id: "coursette-note", lang: "en", role: "status", onclick: () => note.remove() });
    note.style.cssText = "position: fixed; right: 1em; bottom: 1em; z-index: 99999; max-width: 320px; padding: 10px; "
      + "border: 1px solid #dfe3e8; border-radius: 6px; background: #fff; color: #1b1f24; font: 14px/1.45 system-ui";
    document.body.append(note);
    note.textContent = text;
    setTimeout(() => note.remove(), 8000);
  };

  // ---- On and off. The page's root says that we run, and an event stops us: so one way in can stop the other. ----
  const top = document.documentElement;
  const STOP = "coursette-stop";
  /** Moodle replaces tables, drawers and posts: look again whenever links or rows came, went or changed. */
  const watch = () => {
    const relevant = ["a[href]", ...ATTRIBUTES.map(([selector]) => selector)].join();
    const matters = (node) => node.nodeType === 1 && (node.matches(relevant) || node.querySelector(relevant));
    let [timer, took] = [0, 0];
    const look = () => {
      const begun = performance.now();
      scan();
      observer.takeRecords(); // our own doing
      [timer, took] = [0, performance.now() - begun];
    };
    const observer = new MutationObserver((changes) => {
      if (timer || !changes.some(({ type, addedNodes, removedNodes }) =>
        type === "attributes" || [...addedNodes, ...removedNodes].some(matters))) return;
      timer = setTimeout(look, Math.max(100, 5 * took)); // on a huge page that never rests, a sixth of the time
    });
    observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["href", "data-uid"] });
    return () => { observer.disconnect(); clearTimeout(timer); };
  };

  const start = () => {
    const unwatch = watch();
    document.addEventListener("click", open, true);
    document.addEventListener(STOP, () => {
      unwatch();
      document.removeEventListener("click", open, true);
      document.querySelectorAll(`.${MARK}`).forEach((mark) => mark.remove());
      delete top.dataset.coursette;
    }, { once: true });
    top.dataset.coursette = "on";
  };

  const run = () => {
    const tell = settings.clicked ? say : () => {}; // a userscript is silent
    page = readPage();
    if (top.dataset.coursette) { // a second click switches off: it need not look again, watch() does
      if (settings.clicked) document.dispatchEvent(new Event(STOP));
      return tell("Coursette is off on this page. Click again to switch it on.");
    }
    if (!page) return tell("This is not a Moodle page. Click here again when you are on one.");
    const loaded = !settings.sites.length || settings.sites.some((site) => plain(site) === plain(page.site));
    if (!loaded && !settings.clicked) return undefined;
    const here = location.origin + new URL(page.site).pathname.replace(/\/$/, ""); // another name of the same server
    roots = [page.site, here].map((url) => `${plain(url)}/`);
    const [red, green, blue] = getComputedStyle(document.body).color.match(/\d+/g)?.map(Number) ?? [];
    if (red + green + blue < 384) blank.style.color = "#1a5fb4"; // dark text: a light page, else its own colour
    const count = scan();
    start();
    if (!count) return tell("Coursette found no links to people on this page.");
    return loaded ? undefined : tell(`Nothing is loaded from ${page.site} yet: [details] may find nobody.`);
  };
  run();
})({"server": "http://127.0.0.1:8001", "sites": [], "clicked": false}); // the server writes its own settings here
