// Hints from the server say that something is new; the parts of the page that show it are fetched again.
import { morphChildren } from "./morph.js";
import { redraw } from "./charts.js";
import { readOn } from "./logs.js";

const WAIT = 500; // hints come in bursts; one fetch answers all of a burst
const LONGEST_RETRY = 10000;
const dirty = new Set();
let timer = 0;
let busy = false;
let afterUpdate = () => {};
let source = null;
let retry = 500;
let lastNumber = null;
let wasOpen = false;

export function startLive(onUpdate) {
  afterUpdate = onUpdate;
  if (!document.body.dataset.live) return;
  // A hidden tab gives its connection back: a browser has only six for each server, and many tabs may be open.
  document.addEventListener("visibilitychange", () => (document.hidden ? disconnect() : connect()));
  window.addEventListener("pagehide", disconnect);
  window.addEventListener("pageshow", (event) => event.persisted && connect());
  if (!document.hidden) connect();
}

function say(state, words) {
  const sign = document.getElementById("live");
  if (!sign || sign.dataset.state === state) return;
  sign.dataset.state = state;
  sign.querySelector(".live-word").textContent = words;
}

function connect() {
  if (source) return;
  const since = lastNumber === null ? "" : `?since=${lastNumber}`;
  source = new EventSource(document.body.dataset.live + since);
  source.addEventListener("open", () => {
    say("live", "live");
    retry = 500;
    // What changed between the drawing of the page and now, or while the line was cut, sent no hint to us.
    markAll(wasOpen);
    wasOpen = true;
  });
  source.addEventListener("change", (event) => {
    const change = JSON.parse(event.data);
    lastNumber = change.number;
    mark(change.subject);
  });
  // The server no longer knows what we missed.
  source.addEventListener("reset", () => markAll(true));
  source.addEventListener("error", () => {
    say("lost", "reconnecting");
    // The browser's own retry gives up on some answers (a server that starts, a proxy's error page); ours does not.
    disconnect(true);
    lastNumber = null;
    setTimeout(() => document.hidden || connect(), retry);
    retry = Math.min(retry * 2, LONGEST_RETRY);
  });
}

function disconnect(keepsSign) {
  if (source) source.close();
  source = null;
  if (keepsSign !== true) say("off", "paused");
}

function fits(watch, subject) {
  return watch.split(" ").some((one) => (one.endsWith("*") ? subject.startsWith(one.slice(0, -1)) : one === subject));
}

function mark(subject) {
  for (const element of document.querySelectorAll("[data-watch]")) if (fits(element.dataset.watch, subject)) dirty.add(element);
  plan();
}

function markAll(withCharts) {
  for (const element of document.querySelectorAll("[data-watch]")) {
    if (element.dataset.watch && (withCharts || !element.dataset.chart)) dirty.add(element);
  }
  plan();
}

function plan() {
  if (dirty.size && !timer && !busy) timer = setTimeout(update, WAIT);
}

async function update() {
  timer = 0;
  busy = true;
  const elements = [...dirty].filter((element) => element.isConnected);
  dirty.clear();
  try {
    await updateFragments(elements.filter((element) => element.dataset.fragment));
    for (const element of elements) {
      if (!element.isConnected) continue;
      if (element.dataset.chart) await redraw(element);
      if (element.dataset.log) await readOn(element);
    }
  } catch {
    // The server is away for a moment; the next connection marks everything again.
  }
  busy = false;
  plan();
}

async function updateFragments(fragments) {
  if (!fragments.length) return;
  const address = new URL(location.href);
  address.hash = "";
  for (const element of fragments) address.searchParams.append("fragment", element.dataset.fragment);
  const answer = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
  if (answer.redirected || answer.status === 401) return location.reload(); // the session ended: show the login page
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const element of fragments) {
    const wanted = fresh.querySelector(`[data-fragment="${element.dataset.fragment}"]`);
    if (wanted) morphChildren(element, wanted);
  }
  afterUpdate();
}
