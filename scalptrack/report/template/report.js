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
