(function () {
  "use strict";

  function moveTo(slider, percent) {
    var value = Math.max(0, Math.min(100, Math.round(percent)));
    var input = slider.querySelector("input");
    input.value = String(value);
    input.setAttribute("aria-valuetext", value + " % " + input.dataset.before);
    slider.style.setProperty("--at", value + "%");
  }

  function follow(slider) {
    var stage = slider.querySelector(".stage");
    var input = slider.querySelector("input");
    var dragged = null;

    function point(event) {
      var box = stage.getBoundingClientRect();
      moveTo(slider, (100 * (event.clientX - box.left)) / box.width);
    }
    stage.addEventListener("pointerdown", function (event) {
      if (event.button !== 0) {
        return;
      }
      dragged = event.pointerId;
      stage.setPointerCapture(dragged);
      point(event);
    });
    stage.addEventListener("pointermove", function (event) {
      if (event.pointerId === dragged) {
        point(event);
      }
    });
    ["pointerup", "pointercancel", "lostpointercapture"].forEach(function (name) {
      stage.addEventListener(name, function () {
        dragged = null;
      });
    });
    input.addEventListener("input", function () {
      moveTo(slider, Number(input.value));
    });
    moveTo(slider, Number(input.value));
  }

  Array.prototype.forEach.call(document.querySelectorAll(".slider"), follow);

  var opened = [];
  window.addEventListener("beforeprint", function () {
    opened = Array.prototype.filter.call(document.querySelectorAll("details"), function (each) {
      return !each.open;
    });
    opened.forEach(function (each) {
      each.open = true;
    });
  });
  window.addEventListener("afterprint", function () {
    opened.forEach(function (each) {
      each.open = false;
    });
  });

  function reveal() {
    var target = location.hash && document.getElementById(location.hash.slice(1));
    var parent = target && target.closest("details");
    if (parent) {
      parent.open = true;
    }
  }
  window.addEventListener("hashchange", reveal);
  reveal();
})();
(function () {
  "use strict";

  var still = document.querySelector(".still svg");
  if (!still) {
    return;
  }
  var NS = still.namespaceURI;
  var HEIGHT = 300;
  var PAD = { left: 46, right: 14, top: 26, bottom: 40 };
  // In the language of the page; scalptrack/report/words.py names them.
  var WORDS = JSON.parse(document.getElementById("content").dataset.words);
  var MONTHS = WORDS.months.split(" ");
  var MIN_DAYS = 21;
  var SHAPES = ["M-6 -6H6V6H-6Z", "M0 -8L7 5H-7Z", "M0 -8L8 0L0 8L-8 0Z", "M-7 -5H7L0 8Z", "M-3 -7H3V-3H7V3H3V7H-3V3H-7V-3H-3Z"];
  var VERDICT = { increase: "var(--increase)", decrease: "var(--decrease)", baseline: "var(--ink)" };

  function make(name, attributes, parent, text) {
    var element = document.createElementNS(NS, name);
    Object.keys(attributes).forEach(function (each) {
      element.setAttribute(each, attributes[each]);
    });
    if (text) {
      element.textContent = text;
    }
    parent.appendChild(element);
    return element;
  }

  function button(parent, label, words, act) {
    var element = document.createElement("button");
    element.type = "button";
    element.textContent = label;
    element.setAttribute("aria-label", words);
    element.title = words;
    element.addEventListener("click", act);
    parent.appendChild(element);
    return element;
  }

  function filled(text, name, value) {
    return text.split("{" + name + "}").join(value);
  }

  // Days since 0001-01-01 (proleptic, 1-based) to a date, in UTC.
  function dateOf(day) {
    return new Date((day - 719163) * 86400000);
  }

  function dayOf(year, month) {
    return Math.round(Date.UTC(year, month, 1) / 86400000) + 719163;
  }

  function Chart(host) {
    var self = this;
    this.host = host;
    this.numbers = JSON.parse(host.dataset.chart);
    this.shown = this.numbers.series.map(function () {
      return true;
    });
    var days = [];
    this.rough = false;
    this.numbers.series.forEach(function (each) {
      each.visits.forEach(function (visit) {
        days.push(visit.day);
        self.rough = self.rough || visit.hollow;
      });
    });
    this.numbers.gaps.concat(this.numbers.events).forEach(function (each) {
      days.push(each.day);
    });
    var first = Math.min.apply(null, days);
    var last = Math.max.apply(null, days);
    var margin = Math.max((last - first) * 0.06, 10);
    this.whole = [first - margin, last + margin];
    this.from = this.whole[0];
    this.to = this.whole[1];
    this.controls();
    this.picture = make("svg", { role: "group", "aria-label": filled(WORDS.chart, "label", host.dataset.label) }, host);
    this.tip = document.createElement("p");
    this.tip.className = "tip";
    this.tip.setAttribute("role", "status");
    host.appendChild(this.tip);
    this.picture.addEventListener("keydown", function (event) {
      self.step(event);
    });
    host.hidden = false;
    this.drag();
    this.draw();
    if (window.ResizeObserver) {
      var width = 0;
      new ResizeObserver(function () {
        if (host.clientWidth && host.clientWidth !== width) {
          width = host.clientWidth;
          self.draw();
        }
      }).observe(host);
    }
  }

  Chart.prototype.controls = function () {
    var self = this;
    var bar = document.createElement("div");
    bar.className = "bar";
    if (this.numbers.series.length > 1) {
      var group = document.createElement("fieldset");
      var legend = document.createElement("legend");
      legend.textContent = WORDS.show;
      group.appendChild(legend);
      this.numbers.series.forEach(function (each, index) {
        var label = document.createElement("label");
        var box = document.createElement("input");
        box.type = "checkbox";
        box.checked = true;
        box.autocomplete = "off";
        box.addEventListener("change", function () {
          self.shown[index] = box.checked;
          self.draw();
        });
        var mark = make("svg", { viewBox: "-9 -9 18 18", width: 14, height: 14, "aria-hidden": "true" }, label);
        make("path", { d: SHAPES[index % SHAPES.length], fill: "var(--quiet)" }, mark);
        label.insertBefore(box, mark);
        label.appendChild(document.createTextNode(each.name));
        group.appendChild(label);
      });
      bar.appendChild(group);
    }
    var zoom = document.createElement("div");
    zoom.className = "zoom";
    zoom.setAttribute("role", "group");
    zoom.setAttribute("aria-label", WORDS.time);
    this.earlier = button(zoom, "‹", WORDS.earlier, function () {
      self.move(-0.3);
    });
    button(zoom, "+", WORDS.in, function () {
      self.scale(0.6);
    });
    button(zoom, "−", WORDS.out, function () {
      self.scale(1 / 0.6);
    });
    this.later = button(zoom, "›", WORDS.later, function () {
      self.move(0.3);
    });
    this.all = button(zoom, WORDS.all, WORDS.whole, function () {
      self.show(self.whole[0], self.whole[1]);
    });
    bar.appendChild(zoom);
    this.host.appendChild(bar);
  };

  Chart.prototype.show = function (from, to) {
    var span = Math.min(Math.max(to - from, MIN_DAYS), this.whole[1] - this.whole[0]);
    from = Math.max(Math.min((from + to - span) / 2, this.whole[1] - span), this.whole[0]);
    this.from = from;
    this.to = from + span;
    this.draw();
  };

  Chart.prototype.move = function (share) {
    var shift = share * (this.to - this.from);
    this.show(this.from + shift, this.to + shift);
  };

  Chart.prototype.scale = function (factor) {
    var middle = (this.from + this.to) / 2;
    var half = (factor * (this.to - this.from)) / 2;
    this.show(middle - half, middle + half);
  };

  Chart.prototype.drag = function () {
    var self = this;
    var start = null;
    function day(event) {
      var box = self.picture.getBoundingClientRect();
      var x = event.clientX - box.left - PAD.left;
      return self.from + ((self.to - self.from) * x) / (box.width - PAD.left - PAD.right);
    }
    this.picture.addEventListener("pointerdown", function (event) {
      if (event.button === 0 && event.pointerType === "mouse" && !event.target.closest(".visit-mark")) {
        start = day(event);
        self.picture.setPointerCapture(event.pointerId);
      }
    });
    this.picture.addEventListener("pointerup", function (event) {
      if (start !== null) {
        var end = day(event);
        if (Math.abs(end - start) > 0.04 * (self.to - self.from)) {
          self.show(Math.min(start, end), Math.max(start, end));
        }
        start = null;
      }
    });
    this.picture.addEventListener("pointercancel", function () {
      start = null;
    });
  };

  Chart.prototype.step = function (event) {
    var forward = event.key === "ArrowRight";
    if (!forward && event.key !== "ArrowLeft") {
      return;
    }
    var marks = Array.prototype.slice.call(this.picture.querySelectorAll(".visit-mark"));
    var at = marks.indexOf(document.activeElement);
    var next = marks[at + (forward ? 1 : -1)];
    if (at >= 0 && next) {
      event.preventDefault();
      next.focus();
    }
  };

  Chart.prototype.range = function () {
    var low = 100;
    var high = 0;
    var self = this;
    this.numbers.series.forEach(function (each, index) {
      if (self.shown[index]) {
        each.visits.forEach(function (visit) {
          low = Math.min(low, visit.low);
          high = Math.max(high, visit.high);
        });
      }
    });
    if (low > high) {
      low = 0;
      high = 100;
    }
    var missing = Math.max(30 - (high - low), 0) / 2;
    low = Math.max(Math.floor((low - missing - 1) / 10) * 10, 0);
    high = Math.min(Math.ceil((high + missing + 1) / 10) * 10, 100);
    return [low, high];
  };

  Chart.prototype.draw = function () {
    var self = this;
    var width = Math.max(this.host.clientWidth, 280);
    var range = this.range();
    var right = width - PAD.right;
    var bottom = HEIGHT - PAD.bottom;
    var picture = this.picture;
    function x(day) {
      return PAD.left + ((day - self.from) / (self.to - self.from)) * (right - PAD.left);
    }
    function y(percent) {
      return bottom - ((percent - range[0]) / (range[1] - range[0])) * (bottom - PAD.top);
    }
    var focused = document.activeElement && document.activeElement.dataset ? document.activeElement.dataset.key : null;
    picture.replaceChildren();
    picture.setAttribute("viewBox", "0 0 " + width + " " + HEIGHT);
    picture.setAttribute("width", width);
    picture.setAttribute("height", HEIGHT);
    var step = range[1] - range[0] > 60 ? 20 : 10;
    for (var level = Math.ceil(range[0] / step) * step; level <= range[1]; level += step) {
      make("line", { x1: PAD.left, x2: right, y1: y(level), y2: y(level), stroke: "var(--grid)" }, picture);
      make("text", { x: PAD.left - 7, y: y(level) + 4, "text-anchor": "end", class: "tick" }, picture, level + " %");
    }
    this.ticks(x, bottom, right);
    this.band(x, y, right);
    this.numbers.events.forEach(function (each, index) {
      if (each.day >= self.from && each.day <= self.to) {
        var late = x(each.day) > (PAD.left + right) / 2;
        make("line", { x1: x(each.day), x2: x(each.day), y1: PAD.top - 12, y2: bottom, stroke: "var(--event)", "stroke-dasharray": "4 3" }, picture);
        make("text", { x: x(each.day) + (late ? -4 : 4), y: PAD.top - 4 + 13 * (index % 2), "text-anchor": late ? "end" : "start", class: "event" }, picture, each.label);
      }
    });
    var marks = [];
    this.numbers.series.forEach(function (each, index) {
      if (self.shown[index]) {
        each.visits.forEach(function (visit) {
          marks.push({ day: visit.day, visit: visit, index: index });
        });
      }
    });
    this.numbers.gaps.forEach(function (gap) {
      marks.push({ day: gap.day, gap: gap, index: -1 });
    });
    marks.sort(function (a, b) {
      return a.day - b.day || a.index - b.index;
    });
    marks.forEach(function (each) {
      if (each.day >= self.from && each.day <= self.to) {
        self.mark(each, x, y, bottom);
      }
    });
    var again = focused && picture.querySelector('[data-key="' + focused + '"]');
    if (again) {
      again.focus();
    } else {
      this.tip.textContent = this.hint();
    }
    this.earlier.disabled = this.from <= this.whole[0] + 0.5;
    this.later.disabled = this.to >= this.whole[1] - 0.5;
    this.all.disabled = this.earlier.disabled && this.later.disabled;
  };

  Chart.prototype.hint = function () {
    var first = this.numbers.series[this.shown.indexOf(true)];
    return (
      WORDS.hint +
      (first ? " " + filled(WORDS.band, "series", first.name) : "") +
      (this.rough ? " " + filled(WORDS.hollow, "less_sure", this.numbers.less_sure) : "")
    );
  };

  Chart.prototype.ticks = function (x, bottom, right) {
    make("line", { x1: PAD.left, x2: right, y1: bottom, y2: bottom, stroke: "var(--quiet)" }, this.picture);
    var months = (this.to - this.from) / 30.44;
    var room = (right - PAD.left) / 52;
    var every = [1, 2, 3, 6, 12, 24, 60].filter(function (each) {
      return months / each <= room;
    })[0] || 120;
    var start = dateOf(this.from);
    var year = null;
    for (var month = Math.floor((start.getUTCFullYear() * 12) / every) * every; ; month += every) {
      var day = dayOf(Math.floor(month / 12), month % 12);
      if (day > this.to) {
        break;
      }
      if (day >= this.from) {
        make("line", { x1: x(day), x2: x(day), y1: bottom, y2: bottom + 4, stroke: "var(--quiet)" }, this.picture);
        make("text", { x: x(day), y: bottom + 17, "text-anchor": "middle", class: "tick" }, this.picture, MONTHS[month % 12]);
        if (Math.floor(month / 12) !== year) {
          year = Math.floor(month / 12);
          make("text", { x: x(day), y: bottom + 32, "text-anchor": "middle", class: "tick" }, this.picture, String(year));
        }
      }
    }
  };

  // The detectable change around baseline, of the first series that is shown.
  Chart.prototype.band = function (x, y, right) {
    var visits = this.numbers.series[this.shown.indexOf(true)];
    if (!visits) {
      return;
    }
    visits = visits.visits;
    var base = visits[0];
    var others = visits.slice(1);
    var self = this;
    others.forEach(function (visit, index) {
      var from = index === 0 ? base.day : (others[index - 1].day + visit.day) / 2;
      var to = index === others.length - 1 ? self.whole[1] : (visit.day + others[index + 1].day) / 2;
      var left = Math.max(x(from), PAD.left);
      var end = Math.min(x(to), right);
      if (end > left) {
        var top = Math.max(y(base.at + visit.limit), PAD.top);
        var low = Math.min(y(base.at - visit.limit), HEIGHT - PAD.bottom);
        make("rect", { x: left, width: end - left, y: top, height: Math.max(low - top, 0), fill: "var(--band)", class: "band" }, self.picture);
      }
    });
  };

  Chart.prototype.mark = function (each, x, y, bottom) {
    var self = this;
    var many = this.shown.filter(Boolean).length;
    var order = this.shown.slice(0, Math.max(each.index, 0)).filter(Boolean).length;
    var at = x(each.day) + (each.visit ? 9 * (order - (many - 1) / 2) : 0);
    var lines = (each.visit || each.gap).lines;
    var group = make("g", { class: "visit-mark", tabindex: "0", role: "img", "aria-label": lines.join(". "), "data-key": each.index + "-" + each.day }, this.picture);
    if (each.visit) {
      var colour = VERDICT[each.visit.verdict] || "var(--quiet)";
      make("line", { x1: at, x2: at, y1: y(each.visit.low), y2: y(each.visit.high), stroke: colour, "stroke-width": 1.6 }, group);
      make("path", { d: SHAPES[each.index % SHAPES.length], transform: "translate(" + at + " " + y(each.visit.at) + ")", fill: each.visit.hollow ? "var(--card)" : colour, stroke: colour, "stroke-width": each.visit.hollow ? 2 : 0 }, group);
      make("rect", { x: at - 12, width: 24, y: Math.min(y(each.visit.high), y(each.visit.at) - 12), height: Math.max(y(each.visit.low) - y(each.visit.high), 24), fill: "transparent" }, group);
    } else {
      make("path", { d: "M-5 -5L5 5M-5 5L5 -5", transform: "translate(" + at + " " + (bottom - 9) + ")", stroke: "var(--ink)", "stroke-width": 1.8, fill: "none" }, group);
      make("rect", { x: at - 12, width: 24, y: bottom - 21, height: 24, fill: "transparent" }, group);
    }
    function say() {
      self.tip.replaceChildren();
      lines.forEach(function (line, index) {
        var part = document.createElement(index ? "span" : "b");
        part.textContent = line + (index < lines.length - 1 ? " " : "");
        self.tip.appendChild(part);
      });
    }
    group.addEventListener("pointerenter", say);
    group.addEventListener("focus", say);
    group.addEventListener("click", function () {
      group.focus();
      say();
    });
  };

  Array.prototype.forEach.call(document.querySelectorAll(".live"), function (host) {
    host.parentNode.classList.add("interactive");
    new Chart(host);
  });
})();
