// The page of `scalptrack review`: shows the state that the server gives, posts decisions.

import { PairDrawing, RegionDrawing } from "./drawing.js";
import { codes, named, word } from "./words.js";

const TOKEN = location.pathname.split("/")[1];
const MONTHS = word("months").split(" ");

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
  return day ? word("date", { day, month: MONTHS[month - 1], year }) : text || word("no_date");
}

const timeWords = (text) => word("moment", { day: dateWords(text.slice(0, 10)), time: text.slice(11, 16) });
const percent = (text) =>
  word("percent", { points: Number(text).toFixed(1).replace(".", word("decimal_mark")) });
const short = (photo) => (photo.decidable ? photo.sha256.slice(0, 12) : `file-${photo.photo}`);

function title(photo) {
  const day = dateWords(photo.visit_date);
  return Number(photo.replicate) > 1 ? word("replicate", { day, number: photo.replicate }) : day;
}

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
    say(word("no_answer"), true);
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
  $("who-name").textContent = reviewer() || word("not_named");
}

// ---- rendering ------------------------------------------------------------------------------

function place() {
  const found = /^#\/series\/(\d+)$/.exec(location.hash);
  return found && state.series[Number(found[1])] ? Number(found[1]) : null;
}

function render() {
  const focused = document.activeElement?.id;
  $("title").textContent = state.title;
  document.title = word("review_of", { title: state.title });
  showName();
  $("stale").hidden = !state.stale;
  $("command").textContent = state.command;
  const last = lastLine();
  $("undo").disabled = !last;
  $("undo").title = last
    ? word("takes_back", { who: last.who, what: lineWords(last) }) : word("nothing_to_take_back");
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
    make("h2", {}, word("people_and_views")),
    people.length ? make("ul", {}, ...people) : make("p", {}, word("nobody")));
}

const count = (number) => make("span", {
  class: number ? "count" : "count none",
}, number ? word("to_look_at", { count: number }) : word("nothing_open"));

function overview() {
  const photographs = state.series.flatMap((each) => each.photographs);
  const open = photographs.filter((each) => each.open);
  const kindsOpen = codes("looks")
    .map((code) => [named("looks", code), open.filter((each) => each.looks.includes(code)).length])
    .filter(([, number]) => number);
  return [
    make("div", { class: "head" }, make("h1", {}, word("what_needs_a_look"))),
    make("p", {}, open.length
      ? word("waiting", { open: open.length, all: photographs.length })
      : word("all_decided", { all: photographs.length })),
    make("div", { class: "tags" }, ...kindsOpen.map(([words, number]) =>
      make("span", { class: "tag look" }, `${number} ${words}`))),
    state.unfiled.length ? make("section", { class: "panel" },
      make("h2", {}, word("unfiled")),
      make("ul", {}, ...state.unfiled.map((each) =>
        make("li", {}, `${each.photo}: ${each.reason || named("statuses", each.status)}`)))) : null,
    history(),
  ].filter(Boolean);
}

function history() {
  const lines = [...state.log].reverse();
  return make("section", { class: "panel" },
    make("h2", {}, word("log")),
    make("p", { class: "quiet" }, word("log_why")),
    lines.length ? make("div", { class: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ...[word("when"), word("who"), word("what"), ""].map((each) =>
        make("th", { scope: "col" }, each)))),
      make("tbody", {}, ...lines.map((each) => make("tr", {},
        make("td", {}, timeWords(each.at)), make("td", {}, each.who),
        make("td", { class: each.undone ? "undone" : null }, lineWords(each)),
        make("td", {}, each.undone ? word("taken_back") : button(`back-${each.number}`, word("take_back"),
          () => undo(each.number), { "aria-label": word("take_back_line", { number: each.number }) }))))))) :
      make("p", {}, word("no_decision")));
}

const nameOf = (sha256) => {
  const found = state.series.flatMap((each) => each.photographs).find((each) => each.sha256 === sha256);
  return found ? found.photo : sha256.slice(0, 12);
};

const REMOVED = {
  verdict: "verdict_removed", reference: "reference_removed", region: "region_removed",
  points: "points_removed", note: "note_removed", events: "events_removed",
};

const eventWords = (event) => word("event", { day: dateWords(event.date), label: event.label });

function changeWords({ photo, subject, what, after }) {
  const whose = photo ? nameOf(photo) : subject;
  if (after === null) return word(REMOVED[what], { whose });
  return {
    verdict: () => after.verdict === "excluded"
      ? word("was_excluded", { whose, reason: after.reason }) : word("was_accepted", { whose }),
    reference: () => word("was_reference", { whose }),
    region: () => word("was_region", { whose }),
    points: () => word("was_points", { whose, count: after.pairs.length }),
    note: () => word("was_note", { whose, note: after }),
    events: () => after.length
      ? word("was_events", { whose, events: after.map(eventWords).join("; ") })
      : word("was_no_events", { whose }),
  }[what]();
}

function lineWords(line) {
  const changes = line.changes.map(changeWords).join("; ");
  return line.action === "undo" ? word("line_undone", { number: line.undoes, changes }) : changes;
}

async function undo(number) {
  if (await post("undo", { number })) say(word("line_taken_back", { number }));
}

function seriesPage(series, index) {
  const shown = series.photographs.filter((each) => !onlyOpen || each.open);
  return [
    make("p", { class: "back" }, make("a", { href: "#/" }, word("all_people"))),
    make("div", { class: "head" },
      make("div", {}, make("h1", {}, series.subject), make("p", { class: "quiet" }, series.view)),
      make("div", { class: "row", role: "group", "aria-label": word("which_photographs") },
        button("show-all", word("show_all", { count: series.photographs.length }), () => filter(false), { "aria-pressed": `${!onlyOpen}` }),
        button("show-open", word("show_open", { count: series.need_a_look }), () => filter(true), { "aria-pressed": `${onlyOpen}` }))),
    series.chart ? make("div", { class: "chart" }, make("img", {
      src: pictureAddress(series.chart), alt: word("timeline_of", { subject: series.subject, view: series.view }),
    })) : null,
    make("div", { class: "cards" }, ...(shown.length ? shown.map((each) => card(each, series)) :
      [make("p", {}, word("nothing_waits"))])),
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
    word("next", { subject: state.series[found].subject, view: state.series[found].view })));
}

const pictureAddress = (name) => `picture/${name.split("/").map(encodeURIComponent).join("/")}`;

function card(photo, series) {
  const id = short(photo);
  return make("article", { class: photo.open ? "card open" : "card", "aria-label": title(photo), "data-sha256": photo.decidable ? photo.sha256 : null },
    pictureOf(photo, id),
    make("div", { class: "facts" },
      make("div", {}, make("h2", {}, title(photo)), make("p", { class: "quiet" }, photo.photo)),
      make("div", { class: "tags" },
        make("span", { class: `tag ${photo.status}` }, named("statuses", photo.status)),
        photo.is_reference && make("span", { class: "tag" }, word("reference")),
        ...photo.looks.filter((each) => each !== photo.status).map((each) =>
          make("span", { class: "tag look" }, named("looks", each)))),
      numberOf(photo),
      photo.reason && make("p", {}, sentence(photo.reason)),
      photo.findings.length ? make("ul", { class: "findings" }, ...photo.findings.map((each) =>
        make("li", {}, make("strong", {}, `${each.name}: `), each.advice))) : null,
      decided(photo),
      actions(photo, series, id),
      form(photo, id)));
}

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

function numberOf(photo) {
  if (!photo.coverage_percent) return make("p", { class: "quiet" }, word("no_coverage"));
  return make("div", {}, make("p", { class: "number" }, percent(photo.coverage_percent)),
    make("p", { class: "quiet" }, word("interval", {
      low: percent(photo.coverage_low), high: percent(photo.coverage_high), excluded: percent(photo.excluded_percent),
    })));
}

function pictureOf(photo, id) {
  const possible = codes("pictures").filter((each) => photo.pictures[each]);
  if (photo.viewable && state.photo_root_known) possible.push("photo");
  if (!possible.length) return make("div", { class: "picture" }, make("p", { class: "quiet" }, word("no_picture")));
  const kind = possible.includes(kinds.get(id)) ? kinds.get(id) : possible[0];
  const source = kind === "photo" ? `photo/${photo.sha256}.jpg` : pictureAddress(photo.pictures[kind]);
  return make("div", { class: "picture" },
    framed(source, word("picture_of", { kind: named("pictures", kind), title: title(photo) })),
    possible.length > 1 ? make("div", { class: "kinds", role: "group", "aria-label": word("which_picture") },
      ...possible.map((each) => button(`kind-${id}-${each}`, named("pictures", each), () => {
        kinds.set(id, each);
        render();
      }, { "aria-pressed": `${each === kind}` }))) : null);
}

/** A picture in its place, which says that it is being made: those of a study take seconds. */
function framed(source, alt) {
  const frame = make("div", { class: "frame waiting" });
  const note = make("p", { class: "quiet" }, word("picture_waited_for"));
  const done = () => {
    frame.classList.remove("waiting");
    note.remove();
  };
  frame.append(note, make("img", { src: source, loading: "lazy", alt, onload: done, onerror: (event) => {
    done();
    event.target.replaceWith(make("p", { class: "quiet" }, word("picture_failed")));
  } }));
  return frame;
}

function decided(photo) {
  const lines = [];
  const tell = (what, name, values = {}) => lines.push(word(name, {
    ...values, who: photo.decisions[what].who, at: timeWords(photo.decisions[what].at),
  }));
  const verdict = valueOf(photo, "verdict");
  if (verdict?.verdict === "excluded") tell("verdict", "excluded_by", { reason: verdict.reason });
  if (verdict?.verdict === "accepted") tell("verdict", photo.settled ? "accepted_by" : "accepted_otherwise_by");
  if (valueOf(photo, "reference")) tell("reference", "reference_by");
  if (valueOf(photo, "region")) tell("region", "region_by");
  if (valueOf(photo, "points")) tell("points", "points_by", { count: valueOf(photo, "points").pairs.length });
  if (valueOf(photo, "note")) tell("note", "note_by", { note: valueOf(photo, "note") });
  return lines.length ? make("div", { class: "decided" }, ...lines.map((each) => make("p", {}, each))) : null;
}

function referenceOf(series) {
  return series.photographs.find((each) => valueOf(each, "reference")) ||
    series.photographs.find((each) => each.is_reference) || null;
}

function actions(photo, series, id) {
  if (!photo.decidable) return make("p", { class: "quiet" }, word("nothing_to_decide"));
  const verdict = valueOf(photo, "verdict");
  const reference = referenceOf(series);
  const excluded = verdict?.verdict === "excluded";
  const mine = reference === photo;
  const accept = { verdict: "accepted", seen: photo.seen };
  const all = [];
  if (excluded || photo.settled) all.push(button(`clear-${id}`, word(excluded ? "include_again" : "accept_no_more"),
    () => decide(photo, "verdict", null, word("verdict_back"))));
  else all.push(button(`accept-${id}`, word("accept"), () => decide(photo, "verdict", accept,
    word(photo.status === "measured" ? "accepted" : "accepted_without_number")), { class: "main" }));
  if (!excluded) {
    all.push(button(`exclude-${id}`, word("exclude"), () => toggle(id, "exclude"), {
      class: "danger", "aria-expanded": `${opened.get(id) === "exclude"}` }));
    if (!mine && photo.status === "measured") all.push(button(`reference-${id}`, word("use_as_reference"),
      () => decide(photo, "reference", true, word("reference_kept"))));
    if (mine && state.photo_root_known) all.push(button(`region-${id}`, word("draw_region"), () => drawRegion(photo)));
    if (!mine && reference && photo.status !== "rejected" && state.photo_root_known) {
      all.push(button(`points-${id}`, word("set_points"), () => setPoints(photo, reference)));
    }
    if (valueOf(photo, "reference")) all.push(button(`unset-${id}`, word("automatic_reference"),
      () => decide(photo, "reference", null, word("reference_back"))));
  }
  all.push(button(`note-${id}`, word("add_note"), () => toggle(id, "note"), {
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
      if (excluding) decide(photo, "verdict", { verdict: "excluded", reason: text }, word("excluded"));
      else decide(photo, "note", text || null, word("note_kept"));
    },
  }, make("div", {}, make("label", { for: input.id }, word(excluding ? "why_excluded" : "note")), input),
  make("div", { class: "row" }, make("button", { type: "submit", id: `${what}-save-${id}`, class: excluding ? "danger" : "main" },
    word(excluding ? "exclude_it" : "keep_note")),
  button(`${what}-cancel-${id}`, word("cancel"), () => toggle(id, what))));
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
    make("h2", {}, word("events_of", { subject: series.subject })),
    events.length ? make("ul", { class: "events" }, ...events.map((each, i) => make("li", {},
      make("span", {}, eventWords(each)),
      button(`event-remove-${i}`, word("remove"), () => {
        const left = events.filter((other) => other !== each);
        keep(left.length ? left : null, word("event_removed"));
      }, { "aria-label": word("remove_event", { label: each.label }) })))) :
      make("p", { class: "quiet" }, word("no_events")),
    make("form", {
      class: "event-form",
      onsubmit: (event) => {
        event.preventDefault();
        keep([...events, { date: day.value, label: label.value.trim() }], word("event_added"));
      },
    }, make("div", {}, make("label", { for: "event-date" }, word("date_label")), day),
    make("div", {}, make("label", { for: "event-label" }, word("what")), label),
    make("button", { type: "submit", id: "event-add" }, word("add"))));
}

function changesPanel(series) {
  if (!series.changes.length) return null;
  return make("section", { class: "panel" }, make("h2", {}, word("changes")),
    make("div", { class: "scroll" }, make("table", {},
      make("thead", {}, make("tr", {}, ...[word("visit"), word("verdict"), word("in_words")].map((each) => make("th", { scope: "col" }, each)))),
      make("tbody", {}, ...series.changes.map((each) => make("tr", {},
        make("td", {}, dateWords(each.visit_date)), make("td", {}, named("verdicts", each.verdict)), make("td", {}, each.sentence)))))));
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
    $("editor-status").textContent = word("escape_again");
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
    button("editor-save", word("save"), async () => {
      if (await save(drawing.value())) dialog.close();
      else $("editor-status").textContent = $("message").textContent;
    }, { class: "main", disabled: true }),
    button("editor-delete", word("delete_point"), () => drawing.removeChosen(), { disabled: true }),
    button("editor-clear", word("start_over"), () => drawing.clear()),
    button("editor-cancel", word("cancel"), () => dialog.close()));
  if (remove) $("editor-buttons").append(button("editor-remove", remove.words, async () => {
    if (await remove.act()) dialog.close();
  }, { class: "danger" }));
  dialog.showModal();
  try {
    drawing = await start($("editor-panes"), status);
    if (drawing.startArea) $("editor-clear").before(button("editor-area", word("another_area"), () => drawing.startArea()));
    status();
  } catch (error) {
    dialog.close();
    say(error.message, true);
  }
}

function drawRegion(photo) {
  const before = valueOf(photo, "region");
  edit(photo, word("region_on", { title: title(photo) }),
    word("region_help"),
    async (panes, status) => {
      panes.className = "panes";
      return new RegionDrawing(panes, await photoFor(photo, word("reference_title")), before?.polygons || [], status);
    },
    (value) => decide(photo, "region", value, word("region_kept")),
    before && { words: word("automatic_region"), act: () => decide(photo, "region", null, word("region_back")) });
}

function setPoints(photo, reference) {
  const before = valueOf(photo, "points");
  const pairs = before?.reference === reference.sha256 ? before.pairs : [];
  edit(photo, word("points_on", { title: title(photo) }),
    word("points_help"),
    async (panes, status) => {
      panes.className = "panes two";
      const photos = await Promise.all([
        photoFor(reference, word("reference_pane", { title: title(reference) })),
        photoFor(photo, word("moving_pane", { title: title(photo) })),
      ]);
      return new PairDrawing(panes, ...photos, pairs, status);
    },
    (value) => decide(photo, "points", { reference: reference.sha256, pairs: value },
      word("points_kept")),
    before && { words: word("remove_points"), act: () => decide(photo, "points", null, word("points_back")) });
}

// ---- start ----------------------------------------------------------------------------------

$("undo").addEventListener("click", () => {
  const last = lastLine();
  if (last) undo(last.number);
});
$("who").addEventListener("click", askName);
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText(state.command);
  say(word("copied"));
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
load().catch((error) => say(word("page_failed", { cause: error.message }), true));
