// Times in the viewer's zone, and durations that go on counting.

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
const old = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

export function words(seconds) {
  if (seconds < 9.95) return seconds <= 0 ? "0 s" : `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  for (const [unit, size, small, smallSize] of [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]]) {
    if (whole >= size) {
      const rest = Math.floor((whole % size) / smallSize);
      return `${Math.floor(whole / size)} ${unit}` + (rest ? ` ${rest} ${small}` : "");
    }
  }
  return `${whole} s`;
}

function local(when) {
  const now = new Date();
  if (when.toDateString() === now.toDateString()) return clock.format(when);
  return when.getFullYear() === now.getFullYear() ? day.format(when) : old.format(when);
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function showTimes() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const when = new Date(element.dateTime);
    if (Number.isNaN(when.getTime())) continue;
    set(element, local(when));
    element.title = full.format(when);
  }
}

function tick() {
  const now = Date.now() / 1000;
  for (const element of document.querySelectorAll("[data-since]")) {
    const passed = now - Number(element.dataset.since);
    set(element, words(passed < 60 ? Math.floor(Math.max(passed, 0)) : passed));
  }
  for (const element of document.querySelectorAll("[data-ago]")) {
    const passed = now - Number(element.dataset.ago);
    set(element, passed < 20 ? "just now" : `${words(passed)} ago`);
  }
}
setInterval(tick, 1000);
