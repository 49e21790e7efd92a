// Points on a photograph: set, moved and deleted by mouse, finger, pen and keyboard.
// Everything is in pixels of the upright photograph, pixel centres at integers.

import { named, word } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";

function shape(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (parent) parent.append(made);
  return made;
}

/** One photograph with points on it. The owner holds the points and gets told what happened. */
export class Pane {
  /**
   * @param {HTMLElement} parent
   * @param {{title: string, picture: string, width: number, height: number}} photo
   * @param {{add: Function, move: Function, remove: Function, choose: Function}} owner
   */
  constructor(parent, photo, owner) {
    this.photo = photo;
    this.owner = owner;
    this.cursor = null;
    const box = document.createElement("div");
    box.className = "pane";
    const head = document.createElement("div");
    head.className = "pane-head";
    const title = document.createElement("span");
    title.textContent = photo.title;
    const zoom = document.createElement("div");
    zoom.className = "row";
    for (const [sign, name, factor] of [["+", "zoom_in", 0.6], ["−", "zoom_out", 1 / 0.6]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = sign;
      button.setAttribute("aria-label", word(name, { photo: photo.title }));
      button.addEventListener("click", () => this.zoom(factor));
      zoom.append(button);
    }
    head.append(title, zoom);
    this.svg = shape("svg", {
      tabindex: "0",
      role: "application",
      "aria-label": word("pane_keys", { photo: photo.title }),
    });
    box.append(head, this.svg);
    parent.append(box);
    shape("image", {
      href: photo.picture, x: -0.5, y: -0.5, width: photo.width, height: photo.height,
      preserveAspectRatio: "none",
    }, this.svg);
    this.layer = shape("g", {}, this.svg);
    this.view = { x: -0.5, y: -0.5, width: photo.width, height: photo.height };
    this.listen();
    this.showView();
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  /** Photograph pixels for one pixel of the screen. */
  get scale() {
    const matrix = this.svg.getScreenCTM();
    return matrix && matrix.a > 0 ? 1 / matrix.a : 1;
  }

  showView() {
    const { x, y, width, height } = this.view;
    this.svg.setAttribute("viewBox", `${x} ${y} ${width} ${height}`);
  }

  /** Zoom so that a point of the photograph stays where it is on the screen. */
  zoom(factor, fixed = null) {
    const share = Math.min(1, Math.max(0.05, (this.view.width / this.photo.width) * factor));
    const size = { width: this.photo.width * share, height: this.photo.height * share };
    const middle = [this.view.x + this.view.width / 2, this.view.y + this.view.height / 2];
    const at = fixed || this.cursor || this.chosenPoint() || middle;
    const [across, down] = fixed
      ? [(at[0] - this.view.x) / this.view.width, (at[1] - this.view.y) / this.view.height]
      : [0.5, 0.5];
    this.place({ x: at[0] - across * size.width, y: at[1] - down * size.height, ...size });
  }

  /** Show a part of the photograph, and nothing beyond it. */
  place(view) {
    const { width, height } = this.photo;
    this.view = {
      ...view,
      x: Math.min(Math.max(-0.5, view.x), width - 0.5 - view.width),
      y: Math.min(Math.max(-0.5, view.y), height - 0.5 - view.height),
    };
    this.showView();
    this.draw();
  }

  chosenPoint() {
    const found = this.spots && this.spots.find((each) => each.chosen);
    return found ? found.at : null;
  }

  inside(point) {
    return [
      Math.min(Math.max(point[0], 0), this.photo.width - 1),
      Math.min(Math.max(point[1], 0), this.photo.height - 1),
    ];
  }

  pointOf(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(
      this.svg.getScreenCTM().inverse());
    return this.inside([at.x, at.y]);
  }

  listen() {
    this.svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      const spot = event.target.closest(".spot");
      if (spot) this.drag(spot.dataset.key);
      else this.panOrAdd(event);
    });
    this.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1 / 0.8 : 0.8, this.pointOf(event));
    }, { passive: false });
    this.svg.addEventListener("keydown", (event) => this.onKey(event));
    this.svg.addEventListener("focusin", (event) => {
      const spot = event.target.closest(".spot");
      if (spot && !spot.classList.contains("chosen")) this.owner.choose(this, spot.dataset.key);
    });
  }

  /** Follow the pointer until it is let go; wherever it is, because it may leave the picture. */
  follow(onMove, onEnd) {
    const stop = (event) => {
      window.removeEventListener("pointermove", onMove);
      window.removeEventListener("pointerup", stop);
      window.removeEventListener("pointercancel", stop);
      if (onEnd) onEnd(event);
    };
    window.addEventListener("pointermove", onMove);
    window.addEventListener("pointerup", stop);
    window.addEventListener("pointercancel", stop);
  }

  drag(key) {
    this.owner.choose(this, key);
    this.follow((event) => this.owner.move(this, key, this.pointOf(event)));
  }

  /** A tap sets a point; a drag moves a picture that is zoomed in. */
  panOrAdd(down) {
    const { scale, view } = this;
    let panned = false;
    this.follow((event) => {
      const [dx, dy] = [event.clientX - down.clientX, event.clientY - down.clientY];
      if (!panned && Math.hypot(dx, dy) < 6) return;
      panned = true;
      this.place({ ...view, x: view.x - dx * scale, y: view.y - dy * scale });
    }, (event) => {
      if (panned || event.type === "pointercancel") return;
      this.cursor = null;
      this.owner.add(this, this.pointOf(down), 12 * this.scale);
    });
  }

  onKey(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const spot = event.target.closest(".spot");
    if (event.key in steps) {
      event.preventDefault();
      const far = event.shiftKey ? 1 : 10;
      const [dx, dy] = steps[event.key].map((each) => each * far * Math.max(this.scale, 0.1));
      if (spot) {
        const [x, y] = this.spots.find((each) => each.key === spot.dataset.key).at;
        this.owner.move(this, spot.dataset.key, this.inside([x + dx, y + dy]));
      } else {
        const [x, y] = this.cursor || [
          this.view.x + this.view.width / 2, this.view.y + this.view.height / 2,
        ];
        this.cursor = this.inside(this.cursor ? [x + dx, y + dy] : [x, y]);
        this.draw();
      }
    } else if ((event.key === "Enter" || event.key === " ") && !spot) {
      event.preventDefault();
      if (this.cursor) this.owner.add(this, this.cursor, 0);
      else this.onKey(new KeyboardEvent("keydown", { key: "ArrowRight" }));
    } else if ((event.key === "Delete" || event.key === "Backspace") && spot) {
      event.preventDefault();
      this.owner.remove(this, spot.dataset.key);
      this.svg.focus();
    }
  }

  /**
   * @param {{key: string, at: number[], label: string, mark: string, chosen: boolean}[]} spots
   * @param {number[][][]} areas closed polygons to fill
   */
  show(spots, areas = []) {
    this.spots = spots;
    this.areas = areas;
    this.draw();
  }

  draw() {
    const focused = document.activeElement?.closest?.(".spot")?.dataset.key;
    this.layer.replaceChildren();
    const scale = this.scale;
    for (const area of this.areas || []) {
      const path = area.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y}`).join("") + "Z";
      shape("path", { d: path, class: "area" }, this.layer);
      shape("path", { d: path, class: "edge-dark" }, this.layer);
      shape("path", { d: path, class: "edge-light" }, this.layer);
    }
    for (const { key, at, label, mark, chosen } of this.spots || []) {
      const spot = shape("g", {
        class: chosen ? "spot chosen" : "spot", tabindex: "0", role: "button",
        "aria-label": word("spot_at", { spot: label, x: Math.round(at[0]), y: Math.round(at[1]) }),
        transform: `translate(${at[0]} ${at[1]}) scale(${scale})`,
      }, this.layer);
      spot.dataset.key = key;
      shape("circle", { r: 20, class: "reach" }, spot);
      shape("circle", { r: mark ? 5 : 7, class: "dot" }, spot);
      if (mark) {
        const text = shape("text", { x: 9, y: -7, "stroke-width": 3 }, spot);
        text.style.fontSize = "16px";
        text.textContent = mark;
      }
      if (key === focused) spot.focus();
    }
    if (this.cursor) {
      const [x, y] = this.cursor;
      const arm = 14 * scale;
      shape("path", { class: "cross", d: `M${x - arm} ${y}H${x + arm}M${x} ${y - arm}V${y + arm}` },
        this.layer);
    }
  }
}

/** Distance of a point from a segment. */
export function distanceToSide(point, a, b) {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const along = length ? ((point[0] - a[0]) * dx + (point[1] - a[1]) * dy) / length : 0;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(point[0] - a[0] - t * dx, point[1] - a[1] - t * dy);
}

/** The areas of a region while it is drawn. */
export class RegionDrawing {
  constructor(parent, photo, polygons, changed) {
    this.polygons = polygons.length ? polygons.map((each) => each.map((at) => [...at])) : [[]];
    this.current = this.polygons.length - 1;
    this.chosen = null;
    this.changed = changed;
    this.pane = new Pane(parent, photo, this);
    this.show();
  }

  add(_pane, point, reach) {
    let best = null;
    if (reach > 0) {
      this.polygons.forEach((polygon, p) => polygon.forEach((at, i) => {
        if (polygon.length < 3) return;
        const far = distanceToSide(point, at, polygon[(i + 1) % polygon.length]);
        if (far <= reach && (!best || far < best.far)) best = { p, i: i + 1, far };
      }));
    }
    const place = best || { p: this.current, i: this.polygons[this.current].length };
    this.polygons[place.p].splice(place.i, 0, point);
    this.current = place.p;
    this.chosen = `${place.p}-${place.i}`;
    this.show();
  }

  move(_pane, key, point) {
    const [p, i] = key.split("-").map(Number);
    this.polygons[p][i] = point;
    this.show();
  }

  choose(_pane, key) {
    this.chosen = key;
    this.current = Number(key.split("-")[0]);
    this.show();
  }

  remove(_pane, key) {
    const [p, i] = key.split("-").map(Number);
    this.polygons[p].splice(i, 1);
    if (!this.polygons[p].length && this.polygons.length > 1) {
      this.polygons.splice(p, 1);
      this.current = 0;
    }
    this.chosen = null;
    this.show();
  }

  removeChosen() {
    if (this.chosen) this.remove(null, this.chosen);
  }

  startArea() {
    if (this.polygons[this.current].length >= 3) {
      this.polygons.push([]);
      this.current = this.polygons.length - 1;
      this.chosen = null;
      this.show();
    }
  }

  clear() {
    this.polygons = [[]];
    this.current = 0;
    this.chosen = null;
    this.show();
  }

  value() {
    const polygons = this.polygons.filter((each) => each.length).map((each) =>
      each.map((at) => at.map((x) => Math.round(x * 100) / 100)));
    return polygons.length && polygons.every((each) => each.length >= 3) ? { polygons } : null;
  }

  words() {
    const counts = this.polygons.filter((each) => each.length).map((each) => each.length);
    if (!counts.length) return word("no_corner");
    const corners = counts.map((each) => named("corners", each)).join(", ");
    return word(this.value() ? "region_with" : "too_few_corners", { corners });
  }

  show() {
    const spots = this.polygons.flatMap((polygon, p) => polygon.map((at, i) => ({
      key: `${p}-${i}`, at, mark: "", chosen: this.chosen === `${p}-${i}`,
      label: word(this.polygons.length > 1 ? "corner_of_area" : "corner", { number: i + 1, area: p + 1 }),
    })));
    this.pane?.show(spots, this.polygons.filter((each) => each.length > 1));
    this.changed();
  }
}

/** Pairs of points on two photographs while they are set. */
export class PairDrawing {
  constructor(parent, reference, moving, pairs, changed) {
    this.pairs = pairs.map(([a, b, c, d]) => [[a, b], [c, d]]);
    this.chosen = null;
    this.changed = changed;
    this.panes = [reference, moving].map((photo) => new Pane(parent, photo, this));
    this.show();
  }

  side(pane) {
    return this.panes.indexOf(pane);
  }

  add(pane, point) {
    const side = this.side(pane);
    let index = this.pairs.findIndex((each) => !each[side]);
    if (index < 0) index = this.pairs.push([null, null]) - 1;
    this.pairs[index][side] = point;
    this.chosen = `${index}`;
    this.show();
  }

  move(pane, key, point) {
    this.pairs[Number(key)][this.side(pane)] = point;
    this.show();
  }

  choose(_pane, key) {
    this.chosen = key;
    this.show();
  }

  remove(_pane, key) {
    this.pairs.splice(Number(key), 1);
    this.chosen = null;
    this.show();
  }

  removeChosen() {
    if (this.chosen !== null) this.remove(null, this.chosen);
  }

  clear() {
    this.pairs = [];
    this.chosen = null;
    this.show();
  }

  value() {
    const whole = this.pairs.filter((each) => each[0] && each[1]);
    if (whole.length < 4 || whole.length < this.pairs.length) return null;
    return whole.map((each) => each.flat().map((x) => Math.round(x * 100) / 100));
  }

  words() {
    const whole = this.pairs.filter((each) => each[0] && each[1]).length;
    const half = this.pairs.findIndex((each) => !each[0] || !each[1]);
    const pairs = word("pairs", { count: whole });
    if (half < 0) return pairs;
    const missing = this.pairs[half][0] ? "missing_on_other" : "missing_on_reference";
    return `${pairs} ${word(missing, { number: half + 1 })}`;
  }

  show() {
    this.panes?.forEach((pane, side) => pane.show(this.pairs.flatMap((each, i) => each[side] ? [{
      key: `${i}`, at: each[side], mark: `${i + 1}`, chosen: this.chosen === `${i}`,
      label: word("point", { number: i + 1 }),
    }] : [])));
    this.changed();
  }
}
