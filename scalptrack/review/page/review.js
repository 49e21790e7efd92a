// The page of `scalptrack review`: shows the state that the server gives, posts decisions.

import { PairDrawing, RegionDrawing } from "./drawing.js";

const TOKEN = location.pathname.split("/")[1];
const LOOKS = {
  refused: "refused", rejected: "rejected", tier_b: "tier B", not_compared: "not compared",
  wide_interval: "wide interval", second_opinion_differs: "second opinion differs",
  flagged: "flagged",
};
const KINDS = { overlay: "Overlay", compare: "Beside the reference", "gain-loss": "Gain and loss", photo: "Photograph" };
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

let state = null;
let onlyOpen = false;
const opened = new Map(); // which inline form of which photograph is open
const drafts = new Map(); // what was typed and not kept yet, by the id of its field
const kinds = new Map(); // which picture of which photograph is shown

const $ = (id) => document.getElementById(id);

/** Make an element; strings are text, never markup. */
function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

const button = (id, text, onclick, more = {}) =>
  make("button", { type: "button", id, onclick, ...more }, text);

function dateWords(text) {
  const [year, month, day] = text.split("-").map(Number);
  return day ? `${day} ${MONTHS[month - 1]} ${year}` : text || "no date";
}

const timeWords = (text) => `${dateWords(text.slice(0, 10))}, ${text.slice(11, 16)} UTC`;
const percent = (text) => `${Number(text).toFixed(1)} %`;
const short = (photo) => (photo.decidable ? photo.sha256.slice(0, 12) : `file-${photo.photo}`);
const title = (photo) => `${dateWords(photo.visit_date)}${Number(photo.replicate) > 1 ? `, photograph ${photo.replicate}` : ""}`;

function say(text, bad = false) {
  $("message").textContent = text;
  $("message").classList.toggle("bad", bad);
}

// ---- the server -----------------------------------------------------------------------------

async function load() {
  const answer = await fetch("state.json", { cache: "no-store" });
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.error);
  state = found;
  render();
}

async function post(path, body) {
  const name = reviewer() || (await askName());
  if (!name) return false;
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Scalptrack-Token": TOKEN },
      body: JSON.stringify({ ...body, reviewer: name }),
    });
    const found = await answer.json();
    if (answer.ok) {
      state = found;
      render();
      return true;
    }
    if (answer.status === 409) await load();
    say(found.error, true);
  } catch {
    say("The program doesn't answer: start `scalptrack review` again. Nothing was saved.", true);
  }
  return false;
}

const valueOf = (photo, what) => photo.decisions[what]?.value ?? null;

async function decide(photo, what, after, words) {
  const changes = [{ photo: photo.sha256, what, before: valueOf(photo, what), after }];
  if (await post("decide", { changes })) {
    close(short(photo));
    render();
    say(words);
    return true;
  }
  return false;
}

// ---- who ------------------------------------------------------------------------------------

const reviewer = () => sessionStorage.getItem("reviewer") || state?.reviewer || "";

function askName() {
  const dialog = $("name-dialog");
  $("name-input").value = reviewer();
  dialog.showModal();
  return new Promise((resolve) => {
    let name = "";
    $("name-form").onsubmit = () => {
      name = $("name-input").value.trim();
      if (name) sessionStorage.setItem("reviewer", name);
    };
    dialog.onclose = () => {
      showName();
      resolve(name);
    };
  });
}

function showName() {
  $("who-name").textContent = reviewer() || "not named";
}

// ---- rendering ------------------------------------------------------------------------------

function place() {
  const found = /^#\/series\/(\d+)$/.exec(location.hash);
  return found && state.series[Number(found[1])] ? Number(found[1]) : null;
}

function render() {
  const focused = document.activeElement?.id;
  $("title").textContent = state.title;
  document.title = `Review of ${state.title}`;
  showName();
  $("stale").hidden = !state.stale;
  $("command").textContent = state.command;
  const last = lastLine();
  $("undo").disabled = !last;
  $("undo").title = last ? `Takes back: ${last.who}, ${lineWords(last)}` : "Nothing to take back";
  const index = place();
  document.body.classList.toggle("in-series", index !== null);
  renderList(index);
  $("main").replaceChildren(...(index === null ? overview() : seriesPage(state.series[index], index)));
  if (focused && document.activeElement?.id !== focused) $(focused)?.focus({ preventScroll: true });
}

const lastLine = () =>
  [...state.log].reverse().find((each) => !each.undone && each.action === "decide") || null;

function renderList(index) {
  const people = state.series.map((each, i) => make("li", {}, make("a", {
    href: `#/series/${i}`, "aria-current": i === index ? "page" : null,
  }, make("span", {}, each.subject, make("br"), make("small", {}, each.view)), count(each.need_a_look))));
  $("series").replaceChildren(
    make("h2", {}, "People and views"),
    people.length ? make("ul", {}, ...people) : make("p", {}, "No photograph has a person and a view."));
}

const count = (number) => make("span", {
  class: number ? "count" : "count none",
}, number ? `${number} to look at` : "nothing open");

function overview() {
  const photographs = state.series.flatMap((each) => each.photographs);
  const open = photographs.filter((each) => each.open);
  const kindsOpen = Object.entries(LOOKS)
    .map(([code, words]) => [words, open.filter((each) => each.looks.includes(code)).length])
    .filter(([, number]) => number);
  return [
    make("div", { class: "head" }, make("h1", {}, "What needs a look")),
    make("p", {}, open.length
      ? `${open.length} of ${photographs.length} photographs are waiting for a decision. Choose a person and view.`
      : `All ${photographs.length} photographs were decided on, or need no decision.`),
    make("div", { class: "tags" }, ...kindsOpen.map(([words, number]) =>
      make("span", { class: "tag look" }, `${number} ${words}`))),
    state.unfiled.length ? make("section", { class: "panel" },
      make("h2", {}, "Files without a person or view"),
      make("ul", {}, ...state.unfiled.map((each) =>
        make("li", {}, `${each.photo}: ${each.reason || each.status}`)))) : null,
    history(),
  ].filter(Boolean);
}

function history() {
  const lines = [...state.log].reverse();
  return make("section", { class: "panel" },
    make("h2", {}, "Log of decisions"),
    make("p", { class: "quiet" }, "Nothing is ever deleted: taking back adds a line."),
    lines.length ? make("div", { class: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ...["When", "Who", "What", ""].map((each) =>
        make("th", { scope: "col" }, each)))),
      make("tbody", {}, ...lines.map((each) => make("tr", {},
        make("td", {}, timeWords(each.at)), make("td", {}, each.who),
        make("td", { class: each.undone ? "undone" : null }, lineWords(each)),
        make("td", {}, each.undone ? "taken back" : button(`back-${each.number}`, "Take back",
          () => undo(each.number), { "aria-label": `Take back line ${each.number}` }))))))) :
      make("p", {}, "No decision yet."));
}

const nameOf = (sha256) => {
  const found = state.series.flatMap((each) => each.photographs).find((each) => each.sha256 === sha256);
  return found ? found.photo : sha256.slice(0, 12);
};

function changeWords({ photo, subject, what, after }) {
  const whose = photo ? nameOf(photo) : subject;
  if (after === null) return `${what} removed: ${whose}`;
  const words = {
    verdict: () => after.verdict === "excluded" ? `excluded (${after.reason})` : "accepted",
    reference: () => "set as reference",
    region: () => "region drawn",
    points: () => `${after.pairs.length} pairs of points set`,
    note: () => `note: ${after}`,
    events: () => `treatments: ${after.map((each) => `${each.date} ${each.label}`).join("; ") || "none"}`,
  }[what]();
  return `${whose}: ${words}`;
}

const lineWords = (line) =>
  `${line.action === "undo" ? `line ${line.undoes} taken back: ` : ""}${line.changes.map(changeWords).join("; ")}`;

async function undo(number) {
  if (await post("undo", { number })) say(`Line ${number} of the log was taken back.`);
}

function seriesPage(series, index) {
  const shown = series.photographs.filter((each) => !onlyOpen || each.open);
  return [
    make("p", { class: "back" }, make("a", { href: "#/" }, "All people and views")),
    make("div", { class: "head" },
      make("div", {}, make("h1", {}, series.subject), make("p", { class: "quiet" }, series.view)),
      make("div", { class: "row", role: "group", "aria-label": "Which photographs" },
        button("show-all", `All ${series.photographs.length}`, () => filter(false), { "aria-pressed": `${!onlyOpen}` }),
        button("show-open", `To look at: ${series.need_a_look}`, () => filter(true), { "aria-pressed": `${onlyOpen}` }))),
    series.chart ? make("div", { class: "chart" }, make("img", {
      src: pictureAddress(series.chart), alt: `Timeline of ${series.subject}, ${series.view}`,
    })) : null,
    make("div", { class: "cards" }, ...(shown.length ? shown.map((each) => card(each, series)) :
      [make("p", {}, "Nothing here is waiting for a decision.")])),
    eventsPanel(series),
    changesPanel(series),
    next(index),
  ].filter(Boolean);
}

function filter(open) {
  onlyOpen = open;
  render();
}

function next(index) {
  const order = state.series.map((_, i) => (index + 1 + i) % state.series.length);
  const found = order.find((i) => i !== index && state.series[i].need_a_look);
  return found === undefined ? null : make("p", { class: "panel" }, make("a", { href: `#/series/${found}` },
    `Next to look at: ${state.series[found].subject}, ${state.series[found].view}`));
}

const pictureAddress = (name) => `picture/${name.split("/").map(encodeURIComponent).join("/")}`;

function card(photo, series) {
  const id = short(photo);
  return make("article", { class: photo.open ? "card open" : "card", "aria-label": title(photo), "data-sha256": photo.decidable ? photo.sha256 : null },
    pictureOf(photo, id),
    make("div", { class: "facts" },
      make("div", {}, make("h2", {}, title(photo)), make("p", { class: "quiet" }, photo.photo)),
      make("div", { class: "tags" },
        make("span", { class: `tag ${photo.status}` }, photo.status),
        photo.is_reference && make("span", { class: "tag" }, "reference"),
        ...photo.looks.filter((each) => each !== photo.status).map((each) =>
          make("span", { class: "tag look" }, LOOKS[each]))),
      numberOf(photo),
      photo.reason && make("p", {}, sentence(photo.reason)),
      photo.findings.length ? make("ul", { class: "findings" }, ...photo.findings.map((each) =>
        make("li", {}, make("strong", {}, `${each.code.replaceAll("_", " ")}: `), each.advice))) : null,
      decided(photo),
      actions(photo, series, id),
      form(photo, id)));
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function numberOf(photo) {
  if (!photo.coverage_percent) return make("p", { class: "quiet" }, "No coverage.");
  return make("div", {}, make("p", { class: "number" }, percent(photo.coverage_percent)),
    make("p", { class: "quiet" }, `95 % interval ${percent(photo.coverage_low)} to ${percent(photo.coverage_high)}; ` +
      `${percent(photo.excluded_percent)} of the visible scalp is not in the region`));
}

function pictureOf(photo, id) {
  const possible = [...Object.keys(KINDS).filter((each) => photo.pictures[each])];
  if (photo.viewable && state.photo_root_known) possible.push("photo");
  if (!possible.length) return make("div", { class: "picture" }, make("p", { class: "quiet" }, "No picture."));
  const kind = possible.includes(kinds.get(id)) ? kinds.get(id) : possible[0];
  const source = kind === "photo" ? `photo/${photo.sha256}.jpg` : pictureAddress(photo.pictures[kind]);
  return make("div", { class: "picture" },
    make("img", { src: source, loading: "lazy", alt: `${KINDS[kind]} of ${title(photo)}`,
      onerror: (event) => event.target.replaceWith(make("p", { class: "quiet" }, "This picture can't be shown.")) }),
    possible.length > 1 ? make("div", { class: "kinds", role: "group", "aria-label": "Which picture" },
      ...possible.map((each) => button(`kind-${id}-${each}`, KINDS[each], () => {
        kinds.set(id, each);
        render();
      }, { "aria-pressed": `${each === kind}` }))) : null);
}

function decided(photo) {
  const lines = [];
  const by = (what) => `${photo.decisions[what].who}, ${timeWords(photo.decisions[what].at)}`;
  const verdict = valueOf(photo, "verdict");
  if (verdict?.verdict === "excluded") lines.push(`Excluded: ${verdict.reason} (${by("verdict")})`);
  if (verdict?.verdict === "accepted") lines.push(photo.settled ? `Accepted (${by("verdict")})` :
    `Accepted as something else than it is now (${by("verdict")}): look again.`);
  if (valueOf(photo, "reference")) lines.push(`Chosen as the reference (${by("reference")})`);
  if (valueOf(photo, "region")) lines.push(`Region drawn (${by("region")})`);
  if (valueOf(photo, "points")) lines.push(`${valueOf(photo, "points").pairs.length} pairs of points set (${by("points")})`);
  if (valueOf(photo, "note")) lines.push(`Note: ${valueOf(photo, "note")} (${by("note")})`);
  return lines.length ? make("div", { class: "decided" }, ...lines.map((each) => make("p", {}, each))) : null;
}

function referenceOf(series) {
  return series.photographs.find((each) => valueOf(each, "reference")) ||
    series.photographs.find((each) => each.is_reference) || null;
}

function actions(photo, series, id) {
  if (!photo.decidable) return make("p", { class: "quiet" }, "A copy or an unreadable file: nothing to decide.");
  const verdict = valueOf(photo, "verdict");
  const reference = referenceOf(series);
  const excluded = verdict?.verdict === "excluded";
  const mine = reference === photo;
  const accept = { verdict: "accepted", seen: photo.seen };
  const all = [];
  if (excluded || photo.settled) all.push(button(`clear-${id}`, excluded ? "Include again" : "Not accepted after all",
    () => decide(photo, "verdict", null, "The decision was taken back.")));
  else all.push(button(`accept-${id}`, "Accept", () => decide(photo, "verdict", accept,
    photo.status === "measured" ? "Accepted." : "Accepted: it stays without a number."), { class: "main" }));
  if (!excluded) {
    all.push(button(`exclude-${id}`, "Exclude…", () => toggle(id, "exclude"), {
      class: "danger", "aria-expanded": `${opened.get(id) === "exclude"}` }));
    if (!mine && photo.status === "measured") all.push(button(`reference-${id}`, "Use as reference",
      () => decide(photo, "reference", true, "The others will be aligned with this photograph.")));
    if (mine && state.photo_root_known) all.push(button(`region-${id}`, "Draw region…", () => drawRegion(photo)));
    if (!mine && reference && photo.status !== "rejected" && state.photo_root_known) {
      all.push(button(`points-${id}`, "Set points…", () => setPoints(photo, reference)));
    }
    if (valueOf(photo, "reference")) all.push(button(`unset-${id}`, "Automatic reference",
      () => decide(photo, "reference", null, "The program chooses the reference again.")));
  }
  all.push(button(`note-${id}`, "Note…", () => toggle(id, "note"), {
    "aria-expanded": `${opened.get(id) === "note"}` }));
  return make("div", { class: "row" }, ...all);
}

/** Close the inline form of a photograph and forget what was typed. */
function close(id) {
  drafts.delete(`${opened.get(id)}-text-${id}`);
  opened.delete(id);
}

function toggle(id, what) {
  if (opened.get(id) === what) close(id);
  else opened.set(id, what);
  render();
  $(`${what}-text-${id}`)?.focus();
}

/** A field that keeps what was typed while the page is drawn anew. */
function field(id, kept, more) {
  const made = make("input", { id, oninput: () => drafts.set(id, made.value), ...more });
  made.value = drafts.get(id) ?? kept;
  return made;
}

function form(photo, id) {
  const what = opened.get(id);
  if (!what) return null;
  const excluding = what === "exclude";
  const input = field(`${what}-text-${id}`, excluding ? "" : valueOf(photo, "note") || "",
    { maxlength: 500, required: excluding });
  return make("form", {
    class: "inline-form",
    onsubmit: (event) => {
      event.preventDefault();
      const text = input.value.trim();
      if (excluding) decide(photo, "verdict", { verdict: "excluded", reason: text }, "Excluded: it takes no part from the next run on.");
      else decide(photo, "note", text || null, "Note kept.");
    },
  }, make("div", {}, make("label", { for: input.id }, excluding ? "Why is it excluded?" : "Note"), input),
  make("div", { class: "row" }, make("button", { type: "submit", id: `${what}-save-${id}`, class: excluding ? "danger" : "main" },
    excluding ? "Exclude this photograph" : "Keep note"),
  button(`${what}-cancel-${id}`, "Cancel", () => toggle(id, what))));
}

function eventsPanel(series) {
  const events = state.events[series.subject] || [];
  const keep = (after, words) => post("decide", {
    changes: [{ subject: series.subject, what: "events", before: state.events[series.subject] ?? null, after }],
  }).then((kept) => {
    if (!kept) return;
    drafts.delete("event-date");
    drafts.delete("event-label");
    render();
    say(words);
  });
  const day = field("event-date", "", { type: "date", required: true });
  const label = field("event-label", "", { maxlength: 80, required: true });
  return make("section", { class: "panel" },
    make("h2", {}, `Treatments and events of ${series.subject}`),
    events.length ? make("ul", { class: "events" }, ...events.map((each, i) => make("li", {},
      make("span", {}, `${dateWords(each.date)}: ${each.label}`),
      button(`event-remove-${i}`, "Remove", () => {
        const left = events.filter((other) => other !== each);
        keep(left.length ? left : null, "Event removed.");
      }, { "aria-label": `Remove ${each.label}` })))) :
      make("p", { class: "quiet" }, "None here. Those of events.csv are shown in the chart as well."),
    make("form", {
      class: "event-form",
      onsubmit: (event) => {
        event.preventDefault();
        keep([...events, { date: day.value, label: label.value.trim() }], "Event added.");
      },
    }, make("div", {}, make("label", { for: "event-date" }, "Date"), day),
    make("div", {}, make("label", { for: "event-label" }, "What"), label),
    make("button", { type: "submit", id: "event-add" }, "Add")));
}

function changesPanel(series) {
  if (!series.changes.length) return null;
  return make("section", { class: "panel" }, make("h2", {}, "Changes from the first visit"),
    make("div", { class: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ...["Visit", "Verdict", "In words"].map((each) => make("th", { scope: "col" }, each)))),
      make("tbody", {}, ...series.changes.map((each) => make("tr", {},
        make("td", {}, dateWords(each.visit_date)), make("td", {}, each.verdict), make("td", {}, each.sentence)))))));
}

// ---- drawing --------------------------------------------------------------------------------

async function photoFor(photo, words) {
  const answer = await fetch(`photo/${photo.sha256}.json`);
  const size = await answer.json();
  if (!answer.ok) throw new Error(size.error);
  return { title: words, picture: `photo/${photo.sha256}.jpg`, width: size.width_px, height: size.height_px };
}

/** Open the editor; `start` makes the drawing, `save` gets its value. */
async function edit(photo, heading, help, start, save, remove) {
  const dialog = $("editor");
  let drawing = null;
  let leaving = false;
  dialog.oncancel = (event) => {
    if (event.target !== dialog || leaving || !$("editor").querySelector(".spot")) return;
    event.preventDefault();
    leaving = true;
    $("editor-status").textContent = "Press Escape again to leave without saving.";
  };
  const status = () => {
    if (!drawing) return;
    leaving = false;
    $("editor-status").textContent = drawing.words();
    $("editor-save").disabled = !drawing.value();
    $("editor-delete").disabled = drawing.chosen === null;
  };
  $("editor-title").textContent = heading;
  $("editor-help").textContent = help;
  $("editor-panes").replaceChildren();
  $("editor-buttons").replaceChildren(
    button("editor-save", "Save", async () => {
      if (await save(drawing.value())) dialog.close();
      else $("editor-status").textContent = $("message").textContent;
    }, { class: "main", disabled: true }),
    button("editor-delete", "Delete chosen point", () => drawing.removeChosen(), { disabled: true }),
    button("editor-clear", "Start over", () => drawing.clear()),
    button("editor-cancel", "Cancel", () => dialog.close()));
  if (remove) $("editor-buttons").append(button("editor-remove", remove.words, async () => {
    if (await remove.act()) dialog.close();
  }, { class: "danger" }));
  dialog.showModal();
  try {
    drawing = await start($("editor-panes"), status);
    if (drawing.startArea) $("editor-clear").before(button("editor-area", "Another area", () => drawing.startArea()));
    status();
  } catch (error) {
    dialog.close();
    say(error.message, true);
  }
}

function drawRegion(photo) {
  const before = valueOf(photo, "region");
  edit(photo, `Region on ${title(photo)}`,
    "Click or tap around the scalp to measure. Drag a corner to move it; click a side to put a corner into it. The wheel or + zooms; drag the picture to move it.",
    async (panes, status) => {
      panes.className = "panes";
      return new RegionDrawing(panes, await photoFor(photo, "Reference"), before?.polygons || [], status);
    },
    (value) => decide(photo, "region", value, "Region kept: the next run measures in it."),
    before && { words: "Use the automatic region", act: () => decide(photo, "region", null, "The program finds the region again.") });
}

function setPoints(photo, reference) {
  const before = valueOf(photo, "points");
  const pairs = before?.reference === reference.sha256 ? before.pairs : [];
  edit(photo, `Points on ${title(photo)}`,
    "Mark the same spot on both photographs, at least four times, spread over the scalp: moles, scars, the whorl, corners of the hairline. The wheel or + zooms; drag a picture to move it.",
    async (panes, status) => {
      panes.className = "panes two";
      const photos = await Promise.all([photoFor(reference, `Reference, ${title(reference)}`), photoFor(photo, `This photograph, ${title(photo)}`)]);
      return new PairDrawing(panes, ...photos, pairs, status);
    },
    (value) => decide(photo, "points", { reference: reference.sha256, pairs: value },
      "Points kept: the next run aligns by them (tier B, wider interval), or says why it can't."),
    before && { words: "Remove all points", act: () => decide(photo, "points", null, "Points removed.") });
}

// ---- start ----------------------------------------------------------------------------------

$("undo").addEventListener("click", () => {
  const last = lastLine();
  if (last) undo(last.number);
});
$("who").addEventListener("click", askName);
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(state.command);
  say("Command copied.");
});
document.querySelectorAll("[data-close]").forEach((each) =>
  each.addEventListener("click", () => each.closest("dialog").close()));
window.addEventListener("hashchange", () => {
  say("");
  render();
  window.scrollTo(0, 0);
  $("main").focus({ preventScroll: true });
});
window.addEventListener("focus", () => {
  if (state && !$("editor").open && !$("name-dialog").open) load().catch(() => {});
});
load().catch((error) => say(`This page can't be shown: ${error.message}`, true));
