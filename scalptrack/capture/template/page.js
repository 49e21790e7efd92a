"use strict";

const body = document.body;
const part = (id) => document.getElementById(id);
const WANTED = Number(body.dataset.wanted);
const QUALITY = Number(body.dataset.quality);
const LOOK_EVERY_MS = 500;
const PHOTO_TIMEOUT_MS = 6000;
const RETRY_MS = 3000;
const WORDS = JSON.parse(body.dataset.words);

let step = "start"; // start, live, count, check, decide, comb, done, ended
let stream = null;
let frameSide = Number(body.dataset.frameSide);
let kept = [];
let shot = null;

function word(name, values = {}) {
  return WORDS[name].replace(/\{(\w+)\}/g, (_, key) => String(values[key]));
}

function say(state, main, more = []) {
  const advice = part("advice");
  advice.dataset.state = state;
  // A screen reader repeats what is set again, also when it is the same.
  if (part("say").textContent !== main) part("say").textContent = main;
  part("more").replaceChildren(...more.map((words) => {
    const item = document.createElement("li");
    item.textContent = words;
    return item;
  }));
}

function go(next) {
  step = next;
  body.dataset.step = next;
  const live = next === "live" || next === "count";
  part("start").hidden = next !== "start";
  part("shutter").hidden = !live;
  part("shutter").textContent = word(next === "count" ? "stop_timer" : "take");
  part("keep").hidden = part("retake").hidden = next !== "decide";
  part("combed").hidden = next !== "comb";
  part("done").hidden = next !== "done";
  part("finish").hidden = next === "done" || next === "ended";
  part("finish").textContent = word(kept.length ? "finish_now" : "finish_empty");
  part("settings").hidden = !live;
  part("picture").hidden = !(next === "check" || next === "decide");
  part("countdown").hidden = next !== "count";
  part("veil").hidden = !["start", "done", "ended"].includes(next);
  const outline = part("outline");
  if (outline) outline.hidden = !live || !part("show").checked;
  if (next !== "check") part("note").textContent = "";
  drawSteps();
}

function drawSteps() {
  part("steps").replaceChildren(...Array.from({length: WANTED}, (_, index) => {
    const item = document.createElement("li");
    const filed = index < kept.length;
    const place = {number: index + 1, all: WANTED};
    item.textContent = word("step", place) + (filed ? " ✓" : "");
    item.classList.toggle("filed", filed);
    if (filed) item.setAttribute("aria-label", word("step_filed", place));
    if (index === kept.length) item.setAttribute("aria-current", "step");
    return item;
  }));
  part("files").hidden = kept.length === 0;
  part("files").querySelector("ul").replaceChildren(...kept.map((each) => {
    const item = document.createElement("li");
    item.textContent = each.photo;
    return item;
  }));
}

async function ask(method, path, content) {
  let answer;
  try {
    answer = await fetch(path, {method, body: content});
  } catch {
    throw new Error(word("no_answer"));
  }
  const text = await answer.text();
  let result;
  try { result = JSON.parse(text); } catch { throw new Error(text); }
  if (!answer.ok) throw new Error(result.error);
  return result;
}

async function start(deviceId) {
  if (stream) stream.getTracks().forEach((track) => track.stop());
  const choice = deviceId ? {deviceId: {exact: deviceId}} : {facingMode: {ideal: "environment"}};
  const wish = {...choice, width: {ideal: 4096}, height: {ideal: 2160}};
  try {
    stream = await navigator.mediaDevices.getUserMedia({video: wish, audio: false});
  } catch (error) {
    const words = {
      NotAllowedError: word("camera_forbidden"),
      NotFoundError: word("camera_missing"),
      NotReadableError: word("camera_busy"),
    };
    go("start");
    say("bad", words[error.name] || word("camera_failed", {cause: error.message}));
    return;
  }
  part("video").srcObject = stream;
  stream.getVideoTracks()[0].addEventListener("ended", () => {
    if (step === "live" || step === "count") {
      go("start");
      say("bad", word("camera_gone"));
    }
  });
  await part("video").play();
  fitFrame();
  await listCameras();
  go("live");
  say("wait", word("looking"));
  look();
}

function fitFrame() {
  const video = part("video");
  if (!video.videoWidth) return;
  part("stage").style.setProperty("--ratio", String(video.videoWidth / video.videoHeight));
}

async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  const cameras = devices.filter((each) => each.kind === "videoinput");
  const current = stream.getVideoTracks()[0].getSettings().deviceId;
  part("which").hidden = cameras.length < 2;
  part("camera").replaceChildren(...cameras.map((each, index) => {
    const option = document.createElement("option");
    option.value = each.deviceId;
    option.textContent = each.label || word("camera_numbered", {number: index + 1});
    option.selected = each.deviceId === current;
    return option;
  }));
}

function drawn(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").drawImage(source, 0, 0, width, height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
}

let looking = false;
async function look() {
  if (looking) return;
  looking = true;
  try {
    while (step === "live" || step === "count") {
      const began = performance.now();
      const video = part("video");
      if (video.videoWidth) {
        const side = Math.max(video.videoWidth, video.videoHeight);
        const scale = Math.min(1, frameSide / side);
        const frame = await drawn(video, Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale));
        const sight = await ask("POST", `frame?side=${side}`, frame);
        frameSide = sight.frame_side_px;
        if (step === "live" || step === "count") advise(sight);
      }
      const rest = LOOK_EVERY_MS - (performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, Math.max(50, rest)));
    }
  } catch (error) {
    if (step === "live" || step === "count") {
      say("bad", error.message);
      setTimeout(look, RETRY_MS);
    }
  } finally {
    looking = false;
  }
}

function advise(sight) {
  if (sight.ready) {
    say("good", word(sight.compared ? "good_compared" : "good"));
    return;
  }
  const [first, ...others] = sight.hints;
  say(first.serious ? "bad" : "change", first.words, others.map((each) => each.words));
}

async function photograph() {
  const video = part("video");
  const track = stream.getVideoTracks()[0];
  if ("ImageCapture" in window) {
    try {
      const camera = new ImageCapture(track);
      const late = new Promise((_, fail) => setTimeout(() => fail(new Error("late")), PHOTO_TIMEOUT_MS));
      const blob = await Promise.race([camera.takePhoto(await largest(camera)), late]);
      const bitmap = await createImageBitmap(blob);
      if (bitmap.width * bitmap.height >= video.videoWidth * video.videoHeight) {
        if (blob.type === "image/jpeg") return [blob, "camera"];
        return [await drawn(bitmap, bitmap.width, bitmap.height), "camera"];
      }
    } catch { /* Many cameras can't: their video frame at full size is taken instead. */ }
  }
  return [await drawn(video, video.videoWidth, video.videoHeight), "video frame"];
}

async function largest(camera) {
  try {
    const can = await camera.getPhotoCapabilities();
    return {imageWidth: can.imageWidth.max, imageHeight: can.imageHeight.max};
  } catch {
    return undefined;
  }
}

let countdown = 0;
async function shutter() {
  if (step === "count") {
    countdown = 0;
    go("live");
    return;
  }
  countdown = Number(part("timer").value);
  if (countdown) {
    go("count");
    while (countdown > 0) {
      part("countdown").textContent = String(countdown);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      countdown -= 1;
    }
    if (step !== "count") return;
  }
  await take();
}

async function take() {
  go("check");
  say("wait", word("taking"));
  try {
    const [blob, how] = await photograph();
    const url = URL.createObjectURL(blob);
    part("picture").onload = () => URL.revokeObjectURL(url);
    part("picture").src = url;
    say("wait", word("looking_at_it"));
    decide(await ask("POST", `shot?how=${encodeURIComponent(how)}`, blob));
  } catch (error) {
    go("live");
    say("bad", error.message);
    setTimeout(look, RETRY_MS);
  }
}

function decide(result) {
  shot = result;
  go("decide");
  part("keep").textContent = word(shot.usable ? "keep" : "keep_nevertheless");
  part("keep").className = shot.usable ? "primary" : "second";
  part("retake").className = shot.usable ? "second" : "primary";
  const words = shot.hints.map((each) => each.words);
  if (!shot.usable) say("bad", word("unusable"), words);
  else if (words.length) say("change", word("better"), words);
  else say("good", word("usable"));
  const size = {width: shot.width_px, height: shot.height_px};
  part("note").textContent = word(shot.how === "camera" ? "of_camera" : "of_video", size);
  (shot.usable ? part("keep") : part("retake")).focus();
}

async function keep() {
  part("keep").disabled = part("retake").disabled = true;
  try {
    const state = await ask("POST", "keep", shot.id);
    kept = state.kept;
    if (state.complete) {
      stopCamera();
      go("done");
      say("good", word("all_filed"));
      part("done").focus();
    } else {
      go("comb");
      say("change", word("comb"), [word("comb_why")]);
      part("combed").focus();
    }
  } catch (error) {
    say("bad", error.message);
  } finally {
    part("keep").disabled = part("retake").disabled = false;
  }
}

async function retake() {
  try {
    await ask("POST", "discard", shot.id);
  } catch (error) {
    say("bad", error.message);
    return;
  }
  resume();
}

function resume() {
  if (!stream || stream.getVideoTracks()[0].readyState !== "live") {
    go("start");
    say("wait", word("start_again"));
    return;
  }
  go("live");
  say("wait", word("looking"));
  look();
}

function stopCamera() {
  if (stream) stream.getTracks().forEach((track) => track.stop());
  part("video").srcObject = null;
}

async function finish() {
  try {
    const state = await ask("POST", "finish", "");
    kept = state.kept;
  } catch (error) {
    say("bad", error.message);
    return;
  }
  stopCamera();
  go("ended");
  say("wait", word("finished"));
}

async function begin() {
  try {
    const state = await ask("GET", "state");
    kept = state.kept;
    if (state.complete) {
      go("done");
      say("good", word("all_filed"));
    } else if (state.shot) {
      part("picture").src = "shot.jpg";
      decide(state.shot);
    } else {
      go("start");
    }
  } catch (error) {
    say("bad", error.message);
  }
}

part("video").addEventListener("resize", fitFrame);
part("start").addEventListener("click", () => start());
part("shutter").addEventListener("click", shutter);
part("keep").addEventListener("click", keep);
part("retake").addEventListener("click", retake);
part("combed").addEventListener("click", resume);
part("done").addEventListener("click", finish);
part("finish").addEventListener("click", finish);
part("camera").addEventListener("change", (event) => start(event.target.value));
part("mirror").addEventListener("change", (event) => part("stage").classList.toggle("mirrored", event.target.checked));
if (part("show")) part("show").addEventListener("change", () => { part("outline").hidden = !part("show").checked; });
begin();
