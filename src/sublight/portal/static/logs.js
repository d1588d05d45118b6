// The log: whole lines are appended, the unfinished last line is replaced; following keeps the end in sight.

const seen = new WeakSet();
const reading = new WeakSet();
const PARTS_AT_ONCE = 20; // of 64 kB each; the rest comes with the next hint
const CHARACTERS_KEPT = 2_000_000;

export function followLogs() {
  const log = document.getElementById("log-text");
  if (!log || seen.has(log)) return;
  seen.add(log);
  log.scrollTop = log.scrollHeight;
  // Scrolling up stops following, scrolling to the end starts it again, as people expect of a terminal.
  log.addEventListener("scroll", () => {
    const follow = document.getElementById("follow");
    if (follow) follow.checked = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  });
}

document.addEventListener("change", (event) => {
  const log = document.getElementById("log-text");
  if (event.target.id === "follow" && event.target.checked && log) log.scrollTop = log.scrollHeight;
});

export async function readOn(log) {
  if (reading.has(log)) return;
  reading.add(log);
  try {
    for (let parts = 0; parts < PARTS_AT_ONCE; parts += 1) {
      const answer = await fetch(`${log.dataset.log}&offset=${log.dataset.next}`, { credentials: "same-origin" });
      if (!answer.ok) return;
      const part = await answer.json();
      const follows = document.getElementById("follow")?.checked;
      const lines = log.querySelector(".log-lines");
      if (part.text) lines.append(part.text);
      while (lines.textContent.length > CHARACTERS_KEPT && lines.childNodes.length > 1) lines.firstChild.remove();
      log.querySelector(".log-rest").textContent = part.rest;
      if (follows) log.scrollTop = log.scrollHeight;
      if (String(part.next_offset) === log.dataset.next) return;
      log.dataset.next = String(part.next_offset);
    }
  } finally {
    reading.delete(log);
  }
}
