// ==UserScript==
// @name         Coursette
// @namespace    coursette
// @version      0.1.0
// @description  [details] beside each person, and how many used it beside each activity: from your own Coursette.
// @grant        GM.xmlHttpRequest
// @noframes
// @run-at       document-idle
// ==/UserScript==

// One file, two ways in: a userscript that runs by itself, or the text of a bookmarklet. It reads the page, asks your
// own Coursette for numbers, and adds marks. It changes nothing in Moodle and sends nothing to anybody else. Names go
// to your Coursette only when you click: on [details] of somebody it may know by name only, or to let it learn ids.
((settings) => {
  "use strict";
  if (window !== window.top) return; // frames hold editors and other sites
  // Before anything of the page can interfere: a page of another site, whatever it says it is, never sees the token.
  let mayAskHere = false;
  for (let at = 0; at < settings.origins.length; at += 1) {
    if (settings.origins[at] === location.origin) mayAskHere = true;
  }
  const token = mayAskHere ? settings.token : "";
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

  // Links that lead to an activity or to a part of it, the narrowest first: path, parameter, what it is about; where
  // seen. A number in `id` is a course module id, but in the index pages of modules (/mod/forum/index.php) a course.
  const PART_LINKS = [
    ["/mod/book/view.php", "chapterid", "chapter"], // contents of a book, there relative; previous and next
    ["/mod/forum/discuss.php", "d", "discussion"], // list of a forum, recent activity, search
    ["/mod/lesson/view.php", "pageid", "page"], // menu of a lesson
    ["/mod/wiki/view.php", "pageid", "wikipage"], // pages of a wiki; without the id of the activity
    ["/mod/glossary/showentry.php", "eid", "entry"], // words that Moodle links by itself
  ];
  const ACTIVITY_LINK = /^\/mod\/([a-z][a-z0-9]*)\/view\.php$/; // ?id= (course page, index, blocks, calendar, grades)
  const INSTANCE_IN = { // what carries the module's own id instead
    bigbluebuttonbn: "bn", book: "b", chat: "c", data: "d", folder: "f", forum: "f", glossary: "g", imscp: "i",
    label: "l", lti: "l", page: "p", quiz: "q", resource: "r", scorm: "a", url: "u", workshop: "w", wiki: "wid",
  };
  // Parameters that change nothing about where a link leads. One with any other does something, or shows a report.
  const HARMLESS = ["lang", "theme", "forceview", "redirect", "parent", "group", "showall", "displayformat", "rid"];
  const LABEL_IN_INDEX = /^#module-([1-9]\d*)$/; // in the course index, of what has no page
  // Links of the content that Moodle writes no log line for: those of the teacher's own to other sites, and tabs.
  const CONTENT = ".course-content, .book_content, #page-mod-page-view .generalbox, .activity-altcontent, .block_html";
  const TABS = ".course-content :is(.nav-tabs a, a[role=tab]):not(.active)"; // OneTopic and other formats
  const NO_CONTENT = "[data-post-id], .forumpost, .activityiconcontainer, .badges";

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
  const EDITORS = "[contenteditable=true], [contenteditable=''], .editor_atto, .tox, textarea, select";
  const MENUS = ".usermenu, .logininfo, .breadcrumb, .dropdown-menu, [role=menu], [role=menubar], .action-menu";
  const NOT_HERE = `${MENUS}, nav, ${EDITORS}`; // the viewer's own, menus, editors
  const COURSE_INDEX = ".courseindex"; // a <nav> full of activities
  const NO_ACTIVITIES = `${MENUS}, nav:not(${COURSE_INDEX}), .secondary-navigation, .nav-tabs, ${EDITORS}`;
  const PLACE_OF_ACTIVITY = "li, tr, article, [data-post-id], .forumpost, .card";
  const NOT_A_NAME = ".userinitials, .accesshide, .sr-only, .visually-hidden, .action-menu, .dropdown, input, label, "
    + "small, .coursette-details"; // initials stand for a picture; the assignment grader adds email and due date
  const PICTURE_OF = "img, .userinitials";
  const VIEWER = "[data-region=popover-region][data-userid]"; // top of the page; older Moodles have no M.cfg.userId
  const VIEWER_LINK = ".logininfo a[href*='/user/profile.php?id=']"; // foot of the page; the last is who one acts as
  const NOT_PRINTED = "d-print-none";
  const PARTICIPANTS = "/user/index.php"; // the page that knows everybody's id, role and groups ...
  const PARTICIPANTS_TABLE = "[data-table-handler=participants], table#participants"; // ... here
  /** Moodle's own settings; from the page's text where a userscript cannot see the page's variables. */
  const moodleSettings = () => {
    if (window.M?.cfg?.wwwroot) return window.M.cfg;
    for (const { textContent } of document.querySelectorAll("script:not([src])")) {
      const found = /\bM\.cfg\s*=\s*(\{.*?\});/s.exec(textContent);
      try { if (found) return JSON.parse(found[1]); } catch { /* not these */ }
    }
    return null;
  };

  /** Who looks at what: `{site, course, viewer, zone}`, or null if this is no Moodle page. Course 1 is the site. */
  const readPage = () => {
    const cfg = moodleSettings();
    if (!/^https?:\/\/[^/]/.test(cfg?.wwwroot)) return null;
    const ofBody = /(?:^|\s)course-(\d+)(?:\s|$)/.exec(document.body.className)?.[1];
    const footer = [...document.querySelectorAll(VIEWER_LINK)].pop()?.href.match(/[?&]id=(\d+)/)?.[1];
    return {
      site: cfg.wwwroot.replace(/\/+$/, ""),
      course: Number(cfg.courseId ?? ofBody ?? 0),
      viewer: Number(cfg.userId || document.querySelector(VIEWER)?.dataset.userid || footer || 0),
      zone: cfg.usertimezone,
    };
  };

  // ---- Addresses ----
  let page, roots; // what readPage() said, and how addresses of this Moodle begin; set by run()
  const plain = (url) => url.replace(/^https?:/, "");

  /** [path below Moodle's root, parameters] of an address of this Moodle; no path for any other. */
  const parsed = (href) => {
    if (!addresses.has(href)) addresses.set(href, parse(href));
    return addresses.get(href);
  };
  const addresses = new Map(); // each is looked at several times, and again whenever the page changes
  const parse = (href) => {
    const address = plain(href);
    const root = roots.find((each) => address.startsWith(each));
    if (!root) return [];
    const [path, query] = address.slice(root.length - 1).split("#")[0].split("?");
    return [path, new URLSearchParams((query ?? "").replaceAll("&amp;", "&"))]; // Moodle escapes some twice
  };
  const isId = (text) => /^[1-9]\d*$/.test(text ?? "");

  // ---- People on the page ----
  const known = new Map(); // path -> its rows of USER_LINKS
  const shapesOf = (path) => {
    const fits = ([ours]) => path === ours || (ours.endsWith("/") && path.startsWith(ours));
    if (!known.has(path)) known.set(path, USER_LINKS.filter(fits));
    return known.get(path);
  };

  /** Whom an address leads to: `{user, course, shows}` (does it show a name?), or null for nobody and the viewer. */
  const personIn = (href) => {
    const [path, given] = parsed(href);
    if (!path) return null;
    for (const [, user, course, condition] of shapesOf(path)) {
      const [name, value] = condition?.split("=") ?? [];
      if (!isId(given.get(user)) || given.has(ACTION) || (name && given.get(name) !== value)) continue;
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
  const people = (links) => {
    if (!state.on) return new Map();
    const found = [...byAddress(), ...links.flatMap(byLink), ...ATTRIBUTES.flatMap(byAttribute)];
    const staff = new Set(state.staff ? [] : data?.staff);
    const taken = new Map(); // where -> the people marked in it
    const names = new Map(); // person -> name
    const chosen = new Map();
    for (const person of found.filter(({ user }) => !staff.has(user)).sort((a, b) => a.rank - b.rank)) {
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
      chosen.set(at, { ...person, name, label: `details of ${name}` });
    }
    return chosen;
  };

  // ---- Activities on the page ----
  /** What an address is about: {activity: id} (a course module), {part: "chapter:7"}, {instance: "forum:3"} or null. */
  const subjectIn = (href) => {
    const [path, given] = parsed(href);
    if (!path) return null;
    const narrow = PART_LINKS.find(([ours, parameter]) => path === ours && isId(given.get(parameter)));
    const module = ACTIVITY_LINK.exec(path)?.[1];
    const own = [...(module ? ["id", INSTANCE_IN[module]] : []), narrow?.[1]];
    const isOdd = (key) => !own.includes(key) && !HARMLESS.includes(key);
    if (!(narrow || module) || [...given.keys()].some(isOdd)) return null;
    const about = isId(given.get("id")) ? { activity: given.get("id") } : null;
    const instance = given.get(INSTANCE_IN[module]);
    if (narrow) return { part: `${narrow[2]}:${given.get(narrow[1])}`, of: about?.activity };
    return about ?? (isId(instance) ? { instance: `${module}:${instance}` } : null);
  };
  const keyOf = (subject) => subject.part ?? subject.activity ?? subject.instance;

  /** The links to mark, once for each activity or part and place: a map from the link to what it is about. */
  const activities = (links) => {
    const here = subjectIn(location.href);
    const taken = new Map(); // place -> keys marked in it
    const chosen = new Map();
    for (const link of links) {
      const label = LABEL_IN_INDEX.exec(link.getAttribute("href"))?.[1];
      const subject = label ? { activity: label } : subjectIn(link.href);
      const name = subject && nameIn(link);
      if (!name || link.closest(NO_ACTIVITIES)) continue;
      const inIndex = link.closest(COURSE_INDEX);
      if (!inIndex && (label || (here && keyOf(subject) === keyOf(here)))) continue; // the page one is on
      const place = link.closest(PLACE_OF_ACTIVITY) ?? link.parentElement;
      if (taken.get(place)?.has(keyOf(subject))) continue;
      taken.set(place, (taken.get(place) ?? new Set()).add(keyOf(subject)));
      chosen.set(link, { ...subject, name });
    }
    for (const link of unlogged(links)) chosen.set(link, { unlogged: true });
    return chosen;
  };

  /** Links in the course's content that Moodle writes no log line for. */
  const unlogged = (links) => links.filter((link) => {
    if (link.matches(TABS)) return true;
    return /^https?:/.test(link.href) && !parsed(link.href)[0] && link.closest(CONTENT) && !link.closest(NO_CONTENT)
      && !link.closest(NO_ACTIVITIES) && nameIn(link);
  });

  // ---- What the teacher chose, remembered for this course in this tab ----
  const CHOICES = { on: true, open: window.innerWidth > 600, metric: "students", heat: true, groups: [],
    together: "any", from: "", to: "", student: "", studentName: "", nobody: false, staff: false, window: false,
    unseen: [] }; // her own questions that are switched off
  let state = CHOICES;
  const memory = {
    get: (key) => { try { return JSON.parse(sessionStorage.getItem(`coursette ${key}`)); } catch { return null; } },
    set: (key, value) => {
      try { sessionStorage.setItem(`coursette ${key}`, JSON.stringify(value)); } catch { /* full, or forbidden */ }
    },
    forget: (key) => { try { sessionStorage.removeItem(`coursette ${key}`); } catch { /* forbidden */ } },
  };
  /** Keep an answer in the tab, beside the last few: this store is Moodle's own. */
  const keep = (query, entry) => {
    const queries = [query, ...(memory.get("kept") ?? []).filter((each) => each !== query)];
    queries.slice(KEPT).forEach((each) => memory.forget(`usage ${each}`));
    memory.set("kept", queries.slice(0, KEPT));
    memory.set(`usage ${query}`, entry);
  };
  const placeOfState = () => `choices ${page.site} ${page.course}`;
  /** Take choices over, remember them, and bring everything in step. */
  const choose = (changes) => {
    state = { ...state, ...changes };
    const { from, to } = state;
    if (from && to && Number(from) > Number(to)) state = { ...state, from: to, to: from };
    memory.set(placeOfState(), state);
    if (["groups", "together", "from", "to", "student"].some((key) => key in changes) || changes.on) load();
    draw();
  };

  // ---- Asking the server ----
  const SERVER = new URL(settings.server);
  const PATIENCE_MS = 20000;
  const KEPT = 5; // answers in a tab
  const FRESH_MS = 5 * 60 * 1000; // as long an answer kept in this tab is as good as a new one
  const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\])$/;
  const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|\[f[cde])/;
  const spaceOf = (host) => (LOOPBACK.test(host) ? "loopback" : PRIVATE.test(host) ? "local" : "public");
  const RANK = { public: 0, local: 1, loopback: 2 };
  const needsPermission = () => RANK[spaceOf(location.hostname)] < RANK[spaceOf(SERVER.hostname)];

  /** Chrome and Edge ask whether a site may reach programs on this computer: granted, denied, prompt, or not asked. */
  const permission = async () => {
    const names = spaceOf(SERVER.hostname) === "local" ? ["local-network"] : ["loopback-network"];
    for (const name of [...names, "local-network-access"]) {
      try { return (await navigator.permissions.query({ name })).state; } catch { /* not this browser's word for it */ }
    }
    return "not asked";
  };

  class Trouble extends Error {
    constructor(sentence, ways = []) {
      super(sentence);
      this.ways = ways; // names of buttons in WAYS
    }
  }

  const patience = (body) => (body ? 900000 : PATIENCE_MS); // with a file it is loaded before the answer
  const byFetch = (more) => async (url, body) => {
    const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` }, credentials: "omit",
      referrerPolicy: "no-referrer", cache: "no-store", signal: AbortSignal.timeout(patience(body)), ...more,
      ...(body && { method: "POST", body }) });
    return { status: answer.status, text: await answer.text() };
  };
  const byManager = (url, body) => new Promise((resolve, reject) => { // of userscripts: bound by no page's rules
    const headers = { Authorization: `Bearer ${token}`, "Coursette-Origin": location.origin };
    GM.xmlHttpRequest({ method: body ? "POST" : "GET", url, headers, anonymous: true, timeout: patience(body),
      ...(body && { data: body }),
      ontimeout: reject, onerror: reject,
      onload: ({ status, responseText }) => resolve({ status, text: responseText }) });
  });
  // A small window on the server's own origin answers by messages: for pages that may not ask the server themselves.
  const relay = { window: null, waiting: new Map(), timer: 0 };
  const byWindow = (url, body) => new Promise((resolve, reject) => {
    const id = crypto.getRandomValues(new Uint32Array(1))[0];
    const timer = setTimeout(() => { relay.waiting.delete(id); reject(new Error("no answer")); }, patience(body));
    relay.waiting.set(id, (answer) => { clearTimeout(timer); resolve(answer); });
    const path = url.slice(settings.server.length);
    relay.window.postMessage({ coursette: "ask", id, path, token, body }, SERVER.origin);
  });
  const hear = ({ origin, source, data: said }) => {
    if (origin !== SERVER.origin || !said?.coursette) return;
    if (said.coursette === "ready" && state.window && source !== relay.window) {
      relay.window = source;
      load();
    }
    if (said.coursette === "answer" && source === relay.window) relay.waiting.get(said.id)?.(said);
    if (said.coursette === "teach") source.postMessage({ coursette: "page", html: participantsPage() }, SERVER.origin);
  };
  const ROADS = {
    "the userscript": byManager,
    "the small window": byWindow,
    "this page": byFetch({}),
    "this page, as you allowed": byFetch({ targetAddressSpace: spaceOf(SERVER.hostname) }),
  };
  let road; // a key of ROADS

  /** The road to the server. Never asks for a permission: the teacher does, by a click on a way in the legend. */
  const chooseRoad = async () => {
    const isManaged = !settings.clicked && typeof GM === "object" && GM.xmlHttpRequest; // not the page's own GM
    if (isManaged) return "the userscript";
    if (state.window && relay.window && !relay.window.closed) return "the small window";
    if (state.window) throw new Trouble("Waiting for the small window. Is it open?", ["window", "directly"]);
    if (!needsPermission()) return "this page";
    const permitted = await permission();
    if (permitted === "not asked") return "this page";
    if (permitted === "granted") return "this page, as you allowed";
    throw await refused();
  };

  /** Why the server could not be reached, and what can be done. */
  const refused = async () => {
    await new Promise((done) => setTimeout(done, 50)); // a page's policy is heard of a little later
    if (policyForbids) return new Trouble("This Moodle's own rules let no page ask another server.", ["window"]);
    const permitted = spaceOf(SERVER.hostname) === "public" ? "not asked" : await permission();
    if (permitted === "denied") {
      return new Trouble("Your browser was told that this site may not reach programs on your computer, and Coursette "
        + "is one. You can change that beside the address, or go by a small window.", ["again", "window"]);
    }
    if (permitted === "prompt" && needsPermission()) {
      return new Trouble("Coursette runs on your computer. Your browser will ask whether this site may reach it: "
        + "answer “Allow”. Numbers and names come from there; nothing goes to anybody else.", ["ask", "window"]);
    }
    return new Trouble(`Coursette does not answer at ${settings.server}. Is it running (coursette serve)? If it is, `
      + "your browser does not let this page reach it.",
    permitted === "prompt" ? ["again", "ask", "window"] : ["again", "window"]);
  };
  let policyForbids = false;
  const seePolicy = ({ blockedURI }) => { policyForbids ||= (blockedURI ?? "").startsWith(SERVER.origin); };

  /** An answer of the server as data; throws Trouble with a sentence for the teacher. */
  const ask = async (path, query, by, body) => {
    if (!settings.token) throw new Trouble("This script has no token to ask with: take it again.", ["install"]);
    if (!mayAskHere) {
      throw new Trouble(`Coursette's token is for pages of ${settings.sites.join(", ")}, not of ${location.origin}.`,
        ["install"]);
    }
    road = by ?? await chooseRoad();
    let answer;
    try { answer = await ROADS[road](`${settings.server}${path}?${query}`, body); } catch { throw await refused(); }
    let found;
    try { found = JSON.parse(answer.text); } catch { /* no answer of ours */ }
    if (answer.status === 200 && found) return found;
    const sentence = found?.error ?? `Something else answers at ${settings.server} (status ${answer.status}).`;
    const gone = answer.status === 404 && state.groups.length; // a group of that name is no longer there
    throw new Trouble(sentence, [401, 403].includes(answer.status) ? ["install", "again"]
      : gone ? ["everybody", "again"] : ["again"]);
  };

  let data = null; // the answer of /-/usage.json that is shown
  let trouble = null; // why there is no newer one
  const question = () => new URLSearchParams([
    ["course", page.course], ["site", page.site], ...state.groups.map((group) => ["group", group]),
    ["together", state.groups.length > 1 ? state.together : ""],
    ["from_week", state.from], ["to_week", state.to], state.student.split("="), // "student=5", or "person=" and our key
  ].filter(([, value]) => value));

  const setBusy = (isBusy) => legend?.setAttribute("aria-busy", String(isBusy));
  /** Numbers for the choices made: at once what this tab keeps, then what the server says. */
  const load = async ({ anew = false, by } = {}) => {
    if (!(page.course > 1 && state.on)) return;
    const query = String(question());
    const kept = memory.get(`usage ${query}`);
    if (kept) [data, trouble, road] = [kept.answer, null, kept.road];
    const isFresh = kept && !anew && Date.now() - kept.at < FRESH_MS;
    setBusy(!isFresh);
    if (kept) draw();
    if (isFresh) return;
    if (legend) drawLegend();
    try {
      const answer = await ask("/-/usage.json", query, by);
      if (query !== String(question())) return; // asked for something else since
      [data, trouble] = [answer, null];
      if (!state.student) keep(query, { at: Date.now(), answer, road });
    } catch (problem) {
      if (query !== String(question())) return;
      trouble = problem instanceof Trouble ? problem : new Trouble(String(problem), ["again"]);
      if (!kept) data = data && { ...data, stale: true }; // of other choices
    }
    setBusy(false);
    draw();
  };

  // ---- Numbers ----
  /** Whole percents, but 0 says nobody and 100 everybody. */
  const percent = (part, whole) => {
    const rounded = whole ? Math.round((100 * part) / whole) : 0;
    return part > 0 && part < whole ? Math.min(99, Math.max(1, rounded)) : rounded;
  };
  const several = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const perStudent = ({ clicks, students }) => (students ? Math.round((10 * clicks) / students) / 10 : 0);
  // What the legend offers: its button, a row's number, how that is written, whether it is a share of the students.
  const METRICS = {
    students: { button: "students", of: ({ students }) => students, ofAll: true },
    pct: { button: "%", of: ({ students }) => students && percent(students, data.students), unit: "%", ofAll: true },
    clicks: { button: "clicks", of: ({ clicks }) => clicks },
    per: { button: "per student", of: (row) => row.clicks && perStudent(row) },
    done: { button: "done", unit: "%", ofAll: true,
      of: ({ completed }) => (completed == null ? null : percent(completed, data.students)) },
  };
  const SHARES = [0.25, 0.5, 0.75];
  /** From which numbers on the three darker of five colours begin; 0 and what is below have one each. */
  const bounds = () => {
    const { of, unit, ofAll } = METRICS[state.metric];
    if (ofAll) return SHARES.map((share) => (unit ? 100 * share : Math.max(1, Math.ceil(share * data.students))));
    const numbers = Object.values(data.activities).map(of).filter((each) => each > 0).sort((a, b) => a - b);
    return SHARES.map((share) => numbers[Math.floor(share * numbers.length)] ?? 1);
  };
  const step = (number, starts) => (number > 0 ? 1 + starts.filter((start) => number >= start).length : 0);

  /** What a mark says: {text, number (null: none), row, name}. Unknown, not logged and nobody are different words. */
  const saying = (subject) => {
    const id = subject.activity ?? subject.of ?? data.instances[subject.instance];
    const row = subject.part ? data.parts[subject.part] : data.activities[id];
    const name = row?.name ?? subject.name ?? ""; // a part has only that of its link
    if (subject.unlogged) return { text: "not logged", name, why: "Moodle logs no clicks on this link." };
    if (!row || !data.data_up_to) return { text: "not loaded", name, why: "Not in what is loaded of this course." };
    if (row.clicks === null) return { text: "not logged", name, why: "Moodle logs no clicks on this." };
    const { of, unit = "" } = METRICS[state.metric];
    const number = of({ completed: null, ...row });
    if (number === null) return { text: "not tracked", name, row, why: "No completion of this is tracked, or loaded." };
    const why = `${row.students} of ${several(data.students, "student")} opened it, ${several(row.clicks, "click")}`
      + (row.completed == null ? "" : `; ${row.completed} completed it`);
    return { text: `${number}${unit}`, number, name, row, why };
  };

  // ---- Numbers of the teacher's own questions ----
  const SIGNS = "abcdefghijklmnopqrstuvwxyz"; // tell the numbers of one question from another's
  const FILTERS = { group: "groups", from_week: "weeks", to_week: "weeks", student: "the student" };
  const questions = () => (data && !data.stale ? data.numbers ?? [] : []).map((each, at) => {
    const others = [...new Set(each.ignored.map((filter) => FILTERS[filter]))].join(" and ");
    return { ...each, sign: SIGNS[at % SIGNS.length], remark: others && `not narrowed to ${others}` };
  });
  /** What her questions say of an activity: `{name, sign, id, text, label}` of each that has a number for it. */
  const numbersOf = ({ activity, instance }, asked) => {
    const id = activity ?? data.instances[instance];
    return asked.filter(({ name, activities: all }) => all[id] && !state.unseen.includes(name)).map((question) => {
      const { number, words } = question.activities[id];
      const text = String(Math.round(100 * number) / 100);
      const label = [text, words, question.title, question.remark].filter(Boolean).join(" · ");
      return { ...question, id, text, label };
    });
  };

  // ---- Marks ----
  const [MARK, USAGE, NUMBER] = ["coursette-details", "coursette-usage", "coursette-number"];
  const OURS = "#coursette-legend, #coursette-list";
  const LOOK = "margin-inline-start: .4em; font-size: 13px; font-weight: 400; font-style: normal; line-height: 1; "
    + "align-self: center; white-space: nowrap; user-select: none"; // the font is the page's

  const addressFor = ({ user, course, person, name }) => {
    const ofCourse = [course, page.course].find((id) => id > 1);
    const asked = new URLSearchParams([["course", ofCourse], user ? ["user", user] : ["person", person],
      ["site", page.site], ["name", user && data?.unknown_ids ? name : ""]].filter(([, value]) => value));
    return `${settings.server}/-/student?${asked}`; // the name only where somebody may be known by it alone
  };

  const el = (tag, properties = {}, ...children) => {
    const { data: about, aria, ...others } = properties;
    const made = Object.assign(document.createElement(tag), others);
    Object.assign(made.dataset, about);
    for (const [name, value] of Object.entries(aria ?? {})) made.setAttribute(`aria-${name}`, value);
    made.append(...children.filter((child) => child !== null));
    return made;
  };
  const blank = el("a", { className: `${MARK} ${NOT_PRINTED}`, target: "_blank", rel: "noopener", lang: "en",
    dir: "ltr", textContent: "[details]" });
  blank.style.cssText = LOOK;
  const detailsOf = (person) => {
    const mark = blank.cloneNode(true);
    mark.href = addressFor(person);
    if (person.user) mark.dataset.user = person.user;
    mark.setAttribute("aria-label", person.label);
    return mark;
  };
  const usageOf = (subject) => {
    const look = { className: `${USAGE} ${NOT_PRINTED}`, lang: "en", dir: "ltr", data: attributesOf(subject) };
    return subject.unlogged ? el("span", look) : el("button", { type: "button", ...look });
  };
  const numbersIn = (numbers) => el("span", { className: `${NUMBER}s ${NOT_PRINTED}`, dir: "ltr" },
    ...numbers.map(({ name, sign, id, text, label }) => el("button", { type: "button", className: NUMBER,
      textContent: text, title: label, aria: { label }, data: { activity: id, question: name, sign } })));
  const attributesOf = ({ activity, part, instance }) => {
    if (part) return { part };
    const id = activity ?? data.instances[instance];
    return id ? { activity: id } : instance ? { instance } : {};
  };

  /** Marks of one kind: how one is made of what it is about, and whether one that stands still says the same. */
  const kind = (className, make, says) => ({ className, make, says, marks: new Map(), about: new WeakMap() });
  const PERSONS = kind(MARK, detailsOf, (person) => `${addressFor(person)} ${person.label}`);
  const SUBJECTS = kind(USAGE, usageOf, (subject) => JSON.stringify(attributesOf(subject)));
  const NUMBERS = kind(`${NUMBER}s`, numbersIn, (all) => all.map(({ label, name, id }) => [label, name, id]).join());
  const stands = (mark, at) => mark.isConnected && (mark.previousSibling === at || mark.parentElement === at);

  /** Bring marks in step: remove what is out of place, add what is missing, touch nothing else. */
  const inStep = ({ className, make, says, marks, about }, wanted) => {
    for (const [at, mark] of marks) {
      if (wanted.has(at) && stands(mark, at) && mark.coursetteSays === says(wanted.get(at))) continue;
      mark.remove();
      marks.delete(at);
    }
    const ours = new Set(marks.values());
    for (const mark of document.querySelectorAll(`.${className}`)) { // copies Moodle made
      if (!ours.has(mark) && !mark.closest(OURS)) mark.remove();
    }
    for (const [at, what] of wanted) {
      const mark = marks.get(at) ?? make(what);
      about.set(mark, what);
      if (marks.has(at)) continue;
      mark.coursetteSays = says(what);
      if (at.matches(`a, .${USAGE}`)) at.after(mark); else at.append(mark);
      marks.set(at, mark);
    }
  };

  /** Bring all marks in step with the page, the choices and the numbers; answers how many people are marked. */
  const scan = () => {
    const links = state.on ? [...document.links].filter((link) => !link.closest(`${OURS}, .${MARK}`)) : [];
    const persons = people(links);
    inStep(PERSONS, persons);
    inStep(SUBJECTS, data && !data.stale ? activities(links) : new Map());
    const asked = questions(); // worked out once for all marks
    const beside = [...SUBJECTS.marks.values()].map((mark) => [mark, numbersOf(SUBJECTS.about.get(mark), asked)]);
    inStep(NUMBERS, new Map(beside.filter(([, numbers]) => numbers.length)));
    paint();
    return persons.size;
  };

  /** Write the numbers and colours into the marks. */
  const paint = () => {
    const starts = SUBJECTS.marks.size ? bounds() : [];
    for (const mark of SUBJECTS.marks.values()) {
      const { text, number, name, row, why } = saying(SUBJECTS.about.get(mark));
      const label = `${text}. ${why}${name ? `: ${name}` : ""}`;
      if (mark.textContent !== text) mark.textContent = text;
      if (mark.title !== label) mark.title = label;
      if (mark.type && mark.ariaLabel !== label) mark.ariaLabel = label;
      const colour = number === undefined ? "none" : state.heat ? String(step(number, starts)) : "plain";
      if (mark.dataset.step !== colour) mark.dataset.step = colour;
      mark.hidden = state.nobody && row?.clicks !== 0;
    }
  };

  /** A plain click opens one pop-up, used again for the next person; with Ctrl, Shift or the wheel it is any link. */
  const open = (event) => {
    const [mark, usage, number] = [`.${MARK}`, `button.${USAGE}`, `.${NUMBER}`].map((of) => event.target.closest?.(of));
    if (!(mark || usage || number) || !event.isTrusted) return; // what a script of the page clicks
    event.stopPropagation(); // rows and cards of Moodle have clicks of their own
    if (number || usage) event.preventDefault();
    if (number) return say(number.title);
    if (usage) {
      const subject = SUBJECTS.about.get(usage);
      if (saying(subject).row) showList(subject, usage.previousElementSibling);
    }
    if (!mark || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    const popup = window.open(mark.href, "coursette-student", "popup,width=640,height=800");
    if (!popup) return; // pop-ups are blocked: the link itself opens a tab
    event.preventDefault();
    popup.focus();
  };

  // ---- The legend: what is shown, how fresh it is, what can be chosen ----
  const button = (textContent, pressed, more = {}) => el("button", { type: "button", textContent, ...more,
    onclick: ({ isTrusted }) => isTrusted && pressed() }); // by the teacher, not by a script of the page
  const row = (...children) => el("div", { className: "coursette-row" }, ...children);
  const option = (value, text) => el("option", { value, textContent: text });
  const check = (text, change) => {
    const input = el("input", { type: "checkbox", onchange: () => change(input.checked) });
    return el("label", {}, input, ` ${text}`);
  };
  const installAddress = `${settings.server}/-/bookmarklet`;
  // What can be done when no numbers come: the button's words, and what it does.
  const WAYS = {
    again: ["Try again", () => load({ anew: true })],
    everybody: ["All groups", () => choose({ groups: [] })],
    ask: ["Ask my browser", () => load({ anew: true, by: "this page, as you allowed" })],
    window: ["Use a small window", () => openWindow()],
    directly: ["Ask without it", () => { choose({ window: false }); load({ anew: true }); }],
    install: ["On your Moodle pages", () => window.open(installAddress, "_blank", "noopener")],
  };
  const openWindow = () => {
    choose({ window: true });
    relay.window = null;
    window.open(`${settings.server}/-/window#${location.origin}`, "coursette-window", "popup,width=440,height=300");
    clearTimeout(relay.timer);
    relay.timer = setTimeout(() => {
      if (relay.window || !state.window) return;
      trouble = new Trouble("The small window did not answer: it was blocked, or this Moodle cuts it off. "
        + "The userscript needs no window.", ["window", "directly", "install"]);
      draw();
    }, 8000);
  };

  let legend, parts; // the legend, and those pieces of it that change
  const makeLegend = () => {
    parts = {
      metrics: Object.entries(METRICS).map(([metric, { button: words }]) =>
        button(words, () => choose({ metric }), { data: { metric } })),
      heat: check("colours", (heat) => choose({ heat })),
      groups: el("details", {}, el("summary", { textContent: "Groups: all" })),
      from: el("select", { onchange: () => choose({ from: parts.from.value }), aria: { label: "from week" } }),
      to: el("select", { onchange: () => choose({ to: parts.to.value }), aria: { label: "to week" } }),
      student: el("select", { onchange: () => choose({ student: parts.student.value,
        studentName: parts.student.selectedOptions[0].textContent }), aria: { label: "One student" },
        onkeydown: fillStudents, onpointerdown: fillStudents }, option("", "all students")),
      nobody: check("only what nobody opened", (nobody) => choose({ nobody })),
      staff: check("[details] of staff too", (staff) => choose({ staff })),
      own: el("div", { role: "group", aria: { label: "Your questions" } }),
      ramp: el("div", { className: "coursette-ramp", aria: { hidden: "true" } }),
      fresh: el("div", { className: "coursette-soft" }),
      trouble: el("div", { className: "coursette-trouble", role: "status" }),
      learn: button("Let Coursette learn the ids of this page", () => teach(), { hidden: true }),
      refresh: button("refresh", () => load({ anew: true })),
      handing: button("Refresh this course", () => (stopper ? stopper.abort() : refreshCourse())),
      progress: el("div", { role: "status" }),
      shrink: button("hide", () => choose({ open: !state.open })),
      power: button("off", () => choose({ on: !state.on })),
    };
    parts.body = el("div", {},
      el("div", { className: "coursette-seg", role: "group", aria: { label: "Show" } }, ...parts.metrics),
      row(el("span", { textContent: "Weeks" }), parts.from, "to", parts.to),
      parts.groups, row(el("span", { textContent: "Student" }), parts.student),
      row(parts.heat, parts.nobody), parts.staff, parts.own, parts.ramp);
    legend = el("aside", { id: "coursette-legend", className: NOT_PRINTED, lang: "en", dir: "ltr",
      aria: { label: "Coursette" } },
      row(el("b", { textContent: "Coursette" }), el("span", {}, parts.refresh, " ", parts.shrink, " ", parts.power)),
      parts.body, parts.fresh,
      ...(settings.refresh ? [parts.handing, parts.progress] : []), parts.learn, parts.trouble);
    document.body.append(legend);
  };

  /** Groups and weeks, once the server has said which there are. */
  const fillChoices = () => {
    if (!data?.groups || legend.dataset.filled) return;
    legend.dataset.filled = "yes";
    const names = data.groups.map(({ id, name, students }) => [String(id ?? name), `${name} (${students})`]);
    parts.groupBoxes = names.map(([group, words]) => [group, check(words, (on) => choose({
      groups: on ? [...state.groups, group] : state.groups.filter((each) => each !== group) }))]);
    parts.together = el("select", { onchange: () => choose({ together: parts.together.value }),
      aria: { label: "together" } }, option("any", "in any of these"), option("all", "in all of these"));
    parts.groups.append(...parts.groupBoxes.map(([, box]) => el("div", {}, box)), parts.together);
    parts.groups.hidden = !names.length;
    const weeks = (data.weeks ?? []).map((each) => option(String(each.week), each.words));
    parts.from.append(option("", "first"), ...weeks);
    parts.to.append(option("", "last"), ...weeks.map((each) => each.cloneNode(true)));
  };
  const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
  /** Names are asked for only by somebody who is about to choose one. */
  const fillStudents = async ({ isTrusted }) => {
    if (parts.student.dataset.filled || !isTrusted) return;
    parts.student.dataset.filled = "yes";
    try {
      const course = new URLSearchParams([["course", page.course], ["site", page.site]]);
      const found = (await ask("/-/people.json", course)).people.filter(({ role }) => role === "student");
      parts.student.replaceChildren(option("", "all students"), ...found.map(({ id, person, fullname }) =>
        option(id ? `student=${id}` : `person=${person}`, fullname)));
      parts.student.value = state.student;
    } catch (problem) {
      delete parts.student.dataset.filled;
      trouble = problem;
      draw();
    }
  };

  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  /** The same as `when`, of a time in the course's zone already: without the browser's dates, slow to start. */
  const inWords = (local) => {
    const time = new Date(`${local.slice(0, 19)}Z`);
    const clock = local.slice(11, 16);
    if (Math.abs(Date.now() - time) < 6 * 24 * 3600 * 1000) return `${DAYS[time.getUTCDay()]} ${clock}`;
    return `${time.getUTCDate()} ${MONTHS[time.getUTCMonth()]} ${time.getUTCFullYear()}, ${clock}`;
  };
  /** "Tue 14:05", or "14 Jun 2016, 14:05" where that is over six days ago, in the course's time zone. */
  const when = (utc, zone) => {
    const time = new Date(utc);
    const recent = Math.abs(Date.now() - time) < 6 * 24 * 3600 * 1000;
    const day = recent ? { weekday: "short" } : { day: "numeric", month: "short", year: "numeric" };
    try {
      return time.toLocaleString("en-GB", { ...day, hour: "2-digit", minute: "2-digit", timeZone: zone || "UTC" });
    } catch { return utc; }
  };
  const rampWords = () => {
    const { ofAll, unit = "" } = METRICS[state.metric];
    const starts = ["1", ...bounds()];
    return ["0", ...starts.map((from, at) => {
      const next = starts[at + 1];
      if (String(next) === String(from)) return ""; // too few to tell apart
      if (next === undefined) return `${from}${unit}+`;
      if (next <= from) return ""; // no number has this colour
      return ofAll && !unit && Number(next) - 1 > Number(from) ? `${from}-${next - 1}` : `${from}${unit}`;
    })];
  };

  const freshness = () => {
    if (!data.data_up_to) return "No log of this course is loaded yet.";
    return `${several(data.students, "student")} · data up to ${inWords(data.data_up_to_local ?? data.data_up_to)}`
      + (data.truncated ? " · not all of it is shown" : "") + (road ? ` · asked by ${road}` : "");
  };

  /** A switch for each of the teacher's own questions, and what is wrong with it; drawn anew when they change. */
  const drawQuestions = () => {
    const asked = questions();
    const says = asked.map(({ name, title, error, remark }) => [name, title, error, remark].join()).join();
    if (parts.own.coursetteSays === says) return;
    parts.own.coursetteSays = says;
    parts.own.replaceChildren(...asked.map(({ name, title, sign, error, remark }) => {
      const others = () => state.unseen.filter((each) => each !== name);
      const label = check(`${sign} ${title}`, (on) => choose({ unseen: on ? others() : [...others(), name] }));
      label.firstChild.checked = !state.unseen.includes(name);
      const textContent = [error, remark].filter(Boolean).join(" ");
      return el("div", { data: { question: name } }, label, el("div", { className: "coursette-said", textContent }));
    }));
  };

  /** Bring the legend in step with the choices and the numbers. */
  const drawLegend = () => {
    fillChoices();
    drawQuestions();
    const shown = state.on && state.open;
    parts.body.hidden = !shown || !(page.course > 1);
    parts.shrink.textContent = state.open ? "hide" : "show";
    parts.shrink.setAttribute("aria-expanded", String(state.open));
    parts.refresh.hidden = parts.shrink.hidden = parts.handing.hidden = parts.progress.hidden = !state.on;
    parts.power.textContent = state.on ? "off" : "on";
    parts.metrics.forEach((each) => each.setAttribute("aria-pressed", String(each.dataset.metric === state.metric)));
    for (const name of ["heat", "nobody", "staff"]) parts[name].firstChild.checked = state[name];
    if (state.student && ![...parts.student.options].some(({ value }) => value === state.student)) {
      parts.student.append(option(state.student, state.studentName)); // chosen on an earlier page
    }
    for (const name of ["from", "to", "student"]) parts[name].value = state[name];
    parts.groupBoxes?.forEach(([group, box]) => { box.firstChild.checked = state.groups.includes(group); });
    if (parts.together) parts.together.value = state.together;
    if (parts.together) parts.together.hidden = state.groups.length < 2;
    const named = data?.groups?.filter(({ id, name }) => state.groups.includes(String(id ?? name))) ?? [];
    const joined = named.map(({ name }) => name).join(state.together === "all" ? " and " : " or ");
    parts.groups.firstChild.textContent = `Groups: ${joined || "all"}`;
    const usable = data && !data.stale;
    parts.ramp.replaceChildren(...(usable && state.heat ? rampWords().map((words, at) =>
      words && el("span", { textContent: words, data: { step: at } })).filter(Boolean) : []));
    parts.fresh.hidden = !state.on;
    parts.fresh.textContent = usable ? freshness() : "";
    parts.learn.hidden = !(state.on && usable && data.unknown_ids && document.querySelector(PARTICIPANTS_TABLE)
      && parsed(location.href)[0] === PARTICIPANTS);
    const words = trouble && state.on ? [el("p", { textContent: trouble.message }),
      ...trouble.ways.map((way) => button(...WAYS[way]))] : [];
    const said = words.map((each) => each.textContent).join("");
    if (parts.trouble.textContent !== said) parts.trouble.replaceChildren(...words);
  };
  const draw = () => {
    if (!top.dataset.coursette) return; // switched off since
    scan();
    if (legend) drawLegend();
    observer?.takeRecords();
  };

  // ---- Teaching ids: on a click only, and the teacher says yes once more in a window of the server's own ----
  const teach = () => window.open(`${settings.server}/-/learn?${new URLSearchParams([["course", page.course],
    ["site", page.site]])}`, "coursette-learn", "popup,width=640,height=500");
  /** The table of participants as a page of its own: no session key, no script, nothing else of Moodle. */
  const participantsPage = () => {
    const table = document.querySelector(PARTICIPANTS_TABLE)?.cloneNode(true);
    table?.querySelectorAll(`script, style, .${MARK}, .${USAGE}`).forEach((each) => each.remove());
    const cfg = { wwwroot: page.site, courseId: page.course, usertimezone: page.zone };
    const settings = `<script>M.cfg = ${JSON.stringify(cfg).replaceAll("<", "\\u003c")};<\/script>`;
    return `<!doctype html><html lang="${document.documentElement.lang}"><head>${settings}</head>`
      + `<body id="page-user-index" class="course-${page.course}">${table?.outerHTML ?? ""}</body></html>`;
  };

  // ---- Refresh this course: what Moodle gives the teacher's own session goes to the server, file by file ----
  const MOST_BYTES = 5e8; // the server's bound
  let stopper = null; // while it runs
  /** [what, is it a page, addresses below Moodle's root]: their filters in full, as Moodle remembers earlier ones. */
  const filesToFetch = (days) => {
    const id = page.course;
    const log = `report/log/index.php?chooselog=1&id=${id}&download=csv`;
    const dates = days?.map((day) => `&date=${day}`) ?? [""]; // each gives 24 hours
    return [
      ["course page", true, [`course/view.php?id=${id}`]],
      ["participants", true, [`user/index.php?id=${id}&perpage=5000`]],
      ["completion", false, [`report/progress/index.php?course=${id}&format=csv&dataformat=csv&group=0&sifirst=all`
        + "&silast=all"]],
      ["log", false, dates.map((date) => log + date)],
    ];
  };
  /** A file of Moodle, not read into the page's memory where the browser can help it; null where it has no lines. */
  const fromMoodle = async (path, isPage) => {
    let answer, file;
    try {
      answer = await fetch(location.protocol + roots[1] + path, { cache: "no-store", signal: stopper.signal });
      file = await answer.blob();
    } catch { throw new Trouble("Moodle did not answer, or sent only a part: try again.", []); }
    const start = await file.slice(0, 20000).text();
    if (answer.url.includes("/login/") || start.includes('id="page-login')) {
      throw new Trouble("Your session in Moodle has ended: sign in there, then try again.", []);
    }
    if (!answer.ok) throw new Trouble(`Moodle does not give you this report (status ${answer.status}).`, []);
    if (isPage !== /^\s*</.test(start)) throw new Trouble("Moodle sent something else: may you see this report?", []);
    if (file.size > MOST_BYTES) throw new Trouble("Too large: download it, and use coursette load.", []);
    return isPage || start.trim().includes("\n") ? file.slice(0, file.size, "") : null;
  };
  const withoutHead = async (file) => {
    const text = await file.text();
    return text.slice(text.indexOf("\n") + 1);
  };
  /** Fetch and hand in the pieces of one file; `say` shows how far it is. */
  const handIn = async ([what, isPage, paths], say) => {
    let [lines, fresh, unmatched] = [0, 0, 0];
    const zone = page.zone && page.zone !== "99" ? page.zone : "";
    const query = new URLSearchParams([["course", page.course], ["site", page.site], ["timezone", zone],
      ["file", what]]);
    const pieces = []; // the days of a log are one file: newest first, as Moodle gives them
    for (const [at, path] of paths.entries()) {
      say(paths.length > 1 ? `${at + 1} of ${paths.length} days …` : "…");
      const file = await fromMoodle(path, isPage);
      if (stopper.signal.aborted) throw new Trouble("stopped.", []);
      if (file) pieces.push(pieces.length ? await withoutHead(file) : file);
    }
    if (pieces.length) {
      const said = await ask("/-/refresh", query, undefined, new Blob(pieces));
      [lines, fresh, unmatched] = [said.rows_read, said.rows_new, said.rows_unmatched];
    }
    const odd = unmatched ? `, ${unmatched} not matched` : "";
    say(`${lines.toLocaleString("en")} line${lines === 1 ? "" : "s"}, ${fresh.toLocaleString("en")} new${odd}.`);
  };
  const refreshCourse = async () => {
    stopper = new AbortController();
    parts.handing.textContent = "Stop";
    parts.progress.replaceChildren();
    const place = new URLSearchParams([["course", page.course], ["site", page.site]]);
    const sayer = (what) => {
      const line = el("div");
      parts.progress.append(line);
      return (words) => { line.textContent = `${what}: ${words}`; };
    };
    try {
      for (const file of filesToFetch((await ask("/-/refresh.json", place)).days)) {
        if (stopper.signal.aborted) break;
        const say = sayer(file[0]);
        try { await handIn(file, say); } catch (problem) { say(stopper.signal.aborted ? "stopped." : problem.message); }
      }
    } catch (problem) { sayer("not begun")(problem.message); }
    stopper = null;
    parts.handing.textContent = "Refresh this course";
    load({ anew: true });
  };

  // ---- Who has and who has not ----
  const COLUMNS = [ // heading, what to sort by, what to show
    ["Name", null, null],
    ["E-mail", ({ email }) => email ?? "", ({ email }) => email ?? "not loaded"],
    ["Clicks", ({ clicks }) => clicks, ({ clicks }) => String(clicks)],
    ["Last opened", (person) => person.last_ever_utc ?? "", (person) => whenEver(person.last_ever_utc)],
    ["Last seen", (person) => person.last_seen_utc ?? "", (person) => whenEver(person.last_seen_utc)],
  ];
  const whenEver = (utc) => (utc ? when(utc, listed.zone) : "never");
  const HAS = { // which rows, in which words, and what to write to them
    opened: [({ clicks }) => clicks, "opened it", "thank you for looking at “{activity}”."],
    unopened: [({ clicks }) => !clicks, "not opened it",
      "I see that you have not opened “{activity}”{weeks}. Is something in the way?"],
    done: [({ state: how }) => DONE.includes(how), "completed it", "well done: you have completed “{activity}”."],
    undone: [({ state: how }) => how && !DONE.includes(how), "not completed it",
      "I see that you have not completed “{activity}” yet. Is something in the way?"],
    unknown: [({ state: how }) => !how, "not in the report", ""],
  };
  const DONE = ["complete", "complete-pass"];
  let listed; // what the list shows: {title, zone, answer, lists, which, column, down}

  const showList = async (subject, link) => {
    const name = link ? nameIn(link) : saying(subject).name;
    const dialog = openDialog();
    const about = subject.part ? ["part", subject.part] : ["activity", attributesOf(subject).activity];
    dialog.replaceChildren(el("p", { textContent: "Asking …", role: "status" }));
    try {
      const answer = await ask("/-/access.json", new URLSearchParams([...question(), about]));
      if (!dialog.open) return; // closed since
      const people = [...answer.accessed, ...answer.not_accessed];
      const whole = state.metric === "done" && people.some(({ state: how }) => how); // a report of it is loaded
      const lists = (whole ? ["done", "undone", "unknown"] : ["opened", "unopened"]).map((which) =>
        [which, people.filter(HAS[which][0])]).filter(([which, found]) => found.length || which !== "unknown");
      listed = { title: answer.part?.name || answer.activity?.name || name, zone: answer.course?.timezone, answer,
        lists: Object.fromEntries(lists), which: whole ? "undone" : "unopened", column: 0, down: false };
      drawList(dialog);
    } catch (problem) {
      if (!dialog.open) return;
      const close = button("Close", () => dialog.close());
      dialog.replaceChildren(el("p", { textContent: problem.message, role: "alert" }), close);
    }
  };
  const openDialog = () => {
    document.getElementById("coursette-list")?.remove();
    const dialog = el("dialog", { id: "coursette-list", lang: "en", dir: "ltr", onclose: () => dialog.remove(),
      aria: { label: "Who has and who has not" } });
    document.body.append(dialog);
    dialog.showModal();
    return dialog;
  };
  const chosenRows = () => {
    const sortBy = COLUMNS[listed.column][1];
    const rows = [...listed.lists[listed.which]];
    if (!listed.column) return listed.down ? rows.reverse() : rows; // as they come they are by last name
    const { compare } = new Intl.Collator(undefined, { numeric: true });
    const order = (one, other) => compare(sortBy(one), sortBy(other));
    return rows.sort((one, other) => (listed.down ? order(other, one) : order(one, other)));
  };
  const drawList = (dialog) => {
    const rows = chosenRows();
    const tabs = Object.entries(listed.lists).map(([which, { length }]) => button(`${length} ${HAS[which][1]}`, () => {
      listed.which = which;
      drawList(dialog);
    }, { aria: { pressed: String(which === listed.which) } }));
    const headings = COLUMNS.map(([words], column) => el("th", { scope: "col", ariaSort: column !== listed.column
      ? "none" : listed.down ? "descending" : "ascending" }, button(words, () => {
      Object.assign(listed, { down: column === listed.column && !listed.down, column });
      drawList(dialog);
      dialog.querySelectorAll("th button")[column].focus();
    })));
    const said = el("span", { role: "status", className: "coursette-soft" });
    const addresses = () => rows.map(({ email }) => email).filter(Boolean).join(", ");
    dialog.replaceChildren(
      row(el("h2", { textContent: listed.title }), button("Close", () => dialog.close())),
      el("p", { className: "coursette-soft", textContent: chosenWords() }),
      el("div", { className: "coursette-seg", role: "group", aria: { label: "Which students" } }, ...tabs),
      el("div", { className: "coursette-tools" },
        button("Copy addresses", () => copy(addresses(), said, dialog, without(rows))),
        button("Copy names", () => copy(rows.map(({ fullname }) => fullname).join("\n"), said, dialog)),
        button("CSV", () => saveCsv(rows)),
        button("Write to them", () => letter(dialog, rows)), said),
      rows.length ? el("table", {}, el("thead", {}, el("tr", {}, ...headings)),
        el("tbody", {}, ...rows.map(rowOfList))) : el("p", { textContent: "Nobody." }));
    dialog.querySelector("[aria-pressed=true]").focus();
  };
  const rowOfList = (person) => el("tr", {}, ...COLUMNS.map(([, , show], column) => {
    if (column) return el("td", { textContent: show(person) });
    const { id: user, person: key, fullname: name } = person;
    return el("th", { scope: "row" }, name ?? "", detailsOf({ user, person: key, name, label: `details of ${name}` }));
  }));
  /** The filters in words, and how fresh it is. */
  const weeksWords = () => {
    if (!state.from && !state.to) return "";
    const called = (week) => (week % 1 ? data?.weeks?.find((each) => `${each.week}` === week)?.name ?? "break" : week);
    return state.from === state.to ? `${state.from % 1 ? "" : "week "}${called(state.from)}`
      : `weeks ${called(state.from) || "first"} to ${called(state.to) || "last"}`;
  };
  const chosenWords = () => {
    const weeks = weeksWords() || "all weeks";
    const groups = parts.groups.firstChild.textContent.replace("G", "g");
    const one = state.student ? `, only ${state.studentName}` : "";
    return `${groups}, ${weeks}${one} · data up to ${when(listed.answer.data_up_to, listed.zone)}`;
  };

  const copy = async (text, said, dialog, but = "") => {
    let done = !text;
    if (!done) try { await navigator.clipboard.writeText(text); done = true; } catch { // on plain http, or forbidden
      const [box, at] = [el("textarea", { value: text }), document.activeElement];
      dialog.append(box);
      box.select();
      done = document.execCommand("copy");
      box.remove();
      at.focus();
    }
    said.textContent = (!done ? "Your browser let nothing be copied." : text ? "Copied." : "Nothing to copy.") + but;
  };
  /** Whom no letter reaches, by name. */
  const without = (rows) => {
    const names = rows.filter(({ email }) => !email).map(({ fullname }) => fullname);
    return names.length ? ` Left out, without an address: ${names.join(", ")}.` : "";
  };
  /** A cell that no spreadsheet takes for a formula. */
  const cell = (value) => {
    const text = String(value ?? "");
    return `"${(typeof value === "string" && /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  const saveCsv = (rows) => {
    const columns = ["id", "fullname", "firstname", "email", "clicks", "first_utc", "last_utc", "last_ever_utc",
      "last_seen_utc", "state"];
    const lines = [columns, ...rows.map((person) => columns.map((name) => person[name]))];
    const text = `\ufeff${lines.map((line) => line.map(cell).join(",")).join("\r\n")}\r\n`;
    const href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    el("a", { href, download: `${listed.title} - ${HAS[listed.which][1]}.csv`
      .replace(/[/\\:*?"<>|]+/g, " ") }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  };
  /** A letter to each, to paste into a mail program: nothing is sent from here. */
  const letter = (dialog, rows) => {
    const reached = rows.filter(({ email }) => email);
    const draft = `Dear {first name},\n\n${HAS[listed.which][2]}`
      .replace("{weeks}", () => (weeksWords() ? ` in ${weeksWords()}` : " yet"));
    const filled = ({ email, firstname, fullname }) => `To: ${email.replace(/\s+/g, " ")}\n\n`
      + box.value.replace(/\{(first name|activity)\}/g,
        (_, of) => (of === "activity" ? listed.title : firstname || fullname));
    const show = () => { all.value = reached.map(filled).join("\n\n----------\n\n"); };
    const box = el("textarea", { rows: 6, value: draft, oninput: show, aria: { label: "The letter" } });
    const all = el("textarea", { rows: 8, readOnly: true, aria: { label: "One letter for each" } });
    const said = el("span", { role: "status", className: "coursette-soft" });
    show();
    dialog.replaceChildren(
      row(el("h2", { textContent: `Write to ${reached.length}` }), button("Back", () => drawList(dialog))),
      el("p", { className: "coursette-soft", textContent: "{first name} and {activity} are filled in. Paste the "
        + `letters into your mail program: nothing is sent from here.${without(rows)}` }),
      box, all, row(button("Copy the letters", () => copy(all.value, said, dialog)), said));
    box.focus();
  };

  // ---- How it looks: one accent, five steps of one hue that darken (on dark pages: brighten) with the number ----
  const LIGHT = ["#f1f5fa #1b1f24", "#d3e3f4 #1b1f24", "#a5c8ea #0c1a2b", "#5a95d2 #06121f", "#1c5a9e #ffffff"];
  const DARK = ["#1f2730 #e8eaed", "#24405e #ffffff", "#2c5c8d #ffffff", "#5590cb #06121f", "#9cc6f2 #06121f"];
  const stepRule = (where, colours, at) => {
    const [paper, ink] = colours[at].split(" ");
    return `${where}:is(.coursette-usage, .coursette-ramp span)[data-step="${at}"] {
      --coursette-step: ${paper}; --coursette-on: ${ink} }`;
  };
  const SHEET = `
:root { --coursette-paper: #fff; --coursette-ink: #1b1f24; --coursette-soft: #57606a; --coursette-line: #dfe3e8;
  --coursette-accent: #1a5fb4; --coursette-warn: #7a4d00 }
:root[data-coursette-dark] { --coursette-paper: #15181c; --coursette-ink: #e8eaed; --coursette-soft: #a0a8b2;
  --coursette-line: #333a42; --coursette-accent: #7db3f0; --coursette-warn: #f0c674 }
${[0, 1, 2, 3, 4].map((at) => `${stepRule("", LIGHT, at)}\n${stepRule("[data-coursette-dark] ", DARK, at)}`).join("\n")}
:is(.coursette-usage.coursette-usage, .coursette-number.coursette-number) {
  all: revert; display: inline-block; position: relative; z-index: 2; margin: 0; margin-inline-start: .4em;
  padding: 0 6px; border: 1px solid transparent; border-radius: 4px; background: var(--coursette-step, none);
  color: var(--coursette-on, inherit);
  font: 600 12px/18px system-ui, sans-serif; font-variant-numeric: tabular-nums; white-space: nowrap;
  align-self: center; vertical-align: baseline; user-select: none; cursor: pointer;
  &[hidden] { display: none }
  :dir(rtl) > & { margin-inline: 0 .4em }
  &[data-step="0"] { border-color: var(--coursette-soft) }
  &[data-step=plain] { border-color: var(--coursette-line) }
  &[data-step=none] { color: var(--coursette-soft); font-weight: 400; font-style: italic }
}
span.coursette-usage.coursette-usage { cursor: default }
.coursette-usage[hidden] + .coursette-numbers { display: none }
.coursette-number.coursette-number { border: 1px dashed var(--coursette-soft);
  background: var(--coursette-paper); color: var(--coursette-ink) }
.coursette-number::before { content: attr(data-sign); content: attr(data-sign) / ""; padding-right: 4px }
:is(#coursette-legend, #coursette-list) {
  all: revert; box-sizing: border-box; font: 13px/1.5 system-ui, sans-serif; color: var(--coursette-ink);
  background: var(--coursette-paper); border: 1px solid var(--coursette-line); border-radius: 6px;
  box-shadow: 0 4px 18px rgb(0 0 0 / .14); padding: 8px 12px; overflow: auto;
  & :where(:not(.coursette-details)) { all: revert; box-sizing: border-box; font: inherit; color: inherit }
  & [hidden] { display: none }
  & b, & h2, & th { font-weight: 600 }
  & h2 { font-size: 16px; margin: 0 }
  & button, & select, & textarea { border: 1px solid var(--coursette-line); border-radius: 4px; padding: 2px 7px;
    background: var(--coursette-paper); min-height: 24px }
  & button { cursor: pointer; text-align: start }
  & textarea { display: block; width: 100%; margin: 8px 0 }
  & .coursette-row { display: flex; justify-content: space-between; gap: 8px; align-items: center; margin: 4px 0;
    &[hidden] { display: none } }
  & .coursette-seg, & .coursette-ramp { display: flex; margin: 6px 0; gap: 2px }
  & .coursette-seg button { flex: auto; text-align: center; padding: 2px 4px; font-size: 12px;
    &[aria-pressed=true] { background: var(--coursette-accent); color: var(--coursette-paper) } }
  & .coursette-ramp span { flex: 1; text-align: center; font-size: 11px; padding: 1px 2px;
    background: var(--coursette-step); color: var(--coursette-on) }
  & .coursette-soft, & .coursette-said { color: var(--coursette-soft) }
  & .coursette-trouble p { margin: 6px 0; color: var(--coursette-warn) }
  & .coursette-tools { display: flex; flex-wrap: wrap; gap: 6px; margin: 8px 0 }
  & table { border-collapse: collapse; width: 100% }
  & td, & th { text-align: start; padding: 4px 8px 4px 0; border-top: 1px solid var(--coursette-line);
    vertical-align: top }
  & td:nth-child(n+3) { white-space: nowrap }
  & thead button { border: 0; padding: 0; font-weight: 600 }
  & [aria-sort=ascending] button::after { content: " ↑"; content: " ↑" / "" }
  & [aria-sort=descending] button::after { content: " ↓"; content: " ↓" / "" }
}
#coursette-legend { position: fixed; inset-inline-end: 16px; inset-block-end: 16px; z-index: 99998; width: 320px;
  max-width: calc(100vw - 32px); max-height: calc(100vh - 32px);
  &[aria-busy=true] { cursor: progress }
  & select { max-width: 180px; min-width: 0; padding: 2px } }
#coursette-list { position: fixed; inset: 0; margin: auto; width: min(760px, calc(100vw - 24px)); max-height: 85vh;
  &::backdrop { background: rgb(0 0 0 / .35) } }
:is(.coursette-usage, .coursette-number, #coursette-legend *, #coursette-list *):focus-visible {
  outline: 2px solid var(--coursette-accent); outline-offset: 1px }
@media print { :is(#coursette-legend, .coursette-usage, .coursette-numbers).d-print-none { display: none } }
@media (max-width: 480px) { #coursette-list :is(td, th):nth-child(n+4) { display: none } }`;

  let sheet; // one that no page's rules on inline styles forbid; where that does not work, a <style>
  const dress = () => {
    try {
      sheet = new CSSStyleSheet();
      sheet.replaceSync(SHEET);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    } catch {
      sheet = el("style", { textContent: SHEET });
      document.head.append(sheet);
    }
  };
  const undress = () => {
    if (sheet.remove) sheet.remove();
    else document.adoptedStyleSheets = [...document.adoptedStyleSheets].filter((each) => each !== sheet);
  };

  /** A small message in the corner, gone after a while or on a click. */
  const say = (text) => {
    document.getElementById("coursette-note")?.remove();
    const note = el("div", { id: "coursette-note", lang: "en", role: "status", onclick: () => note.remove() });
    note.style.cssText = "position: fixed; left: 1em; bottom: 1em; z-index: 99999; max-width: 320px; padding: 10px; "
      + "border: 1px solid #dfe3e8; border-radius: 6px; background: #fff; color: #1b1f24; font: 14px/1.45 system-ui";
    document.body.append(note);
    note.textContent = text;
    setTimeout(() => note.remove(), 8000);
  };

  // ---- On and off. The page's root says that we run, and an event stops us: so one way in can stop the other. ----
  const top = document.documentElement;
  const STOP = "coursette-stop";
  let observer;
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
    observer = new MutationObserver((changes) => {
      if (timer || !changes.some(({ type, target, addedNodes, removedNodes }) => !target.closest(OURS) &&
        (type === "attributes" || target.closest("a[href]") || [...addedNodes, ...removedNodes].some(matters)))) return;
      timer = setTimeout(look, Math.max(100, 5 * took)); // on a huge page that never rests, a sixth of the time
    });
    observer.observe(document.body, { childList: true, subtree: true, attributeFilter: ["href", "data-uid"] });
    return () => { observer.disconnect(); clearTimeout(timer); };
  };

  const start = () => {
    dress();
    if (page.course > 1) makeLegend();
    const unwatch = watch();
    const heard = [[document, "click", open, true], [window, "message", hear],
      [document, "securitypolicyviolation", seePolicy]];
    heard.forEach(([target, ...how]) => target.addEventListener(...how));
    document.addEventListener(STOP, () => {
      unwatch();
      heard.forEach(([target, ...how]) => target.removeEventListener(...how));
      document.querySelectorAll(`.${MARK}, .${USAGE}, .${NUMBER}s, ${OURS}`).forEach((mark) => mark.remove());
      undress();
      delete top.dataset.coursette;
      delete top.dataset.coursetteDark;
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
    state = { ...CHOICES, ...memory.get(placeOfState()), ...(settings.clicked ? { on: true } : {}) };
    const [red, green, blue] = getComputedStyle(document.body).color.match(/\d+/g)?.map(Number) ?? [];
    const dark = red + green + blue >= 384; // light text: a dark page
    if (dark) top.dataset.coursetteDark = "";
    else blank.style.color = "#1a5fb4"; // on a dark page its links' own colour
    if (getComputedStyle(document.body).direction === "rtl") blank.style.marginInline = "0 .4em"; // its own is ltr
    start();
    const count = scan();
    observer.takeRecords();
    if (loaded) load({ anew: performance.getEntriesByType("navigation")[0]?.type === "reload" }); // not what is kept
    if (loaded && state.on && state.student) fillStudents(); // to name who is chosen
    if (legend) drawLegend();
    if (!count && !legend) return tell("Coursette found no links to people on this page.");
    return loaded ? undefined : tell(`Nothing is loaded from ${page.site} yet: [details] may find nobody.`);
  };
  run();
})({"server": "http://127.0.0.1:8001", "sites": [], "origins": [], "clicked": false, "token": ""}); // the server's own
