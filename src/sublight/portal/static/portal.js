// The entry: each module looks after one thing, and after every live update looks at what is new on the page.
import { startLive } from "./live.js";
import { showCharts } from "./charts.js";
import { showTimes } from "./times.js";
import { followLogs } from "./logs.js";
import { startKeys } from "./keys.js";

function lookAtPage() {
  showTimes();
  showCharts();
  followLogs();
}

// A question before what cannot be undone; the form works without this script as well.
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

// Empty filters stay out of the address, and a choice from a list is shown at once.
for (const form of document.querySelectorAll("form[data-filters]")) {
  form.addEventListener("submit", () => {
    for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
  });
  for (const list of form.querySelectorAll("select")) list.addEventListener("change", () => form.requestSubmit());
}
// Coming back by the browser's button must find the fields usable again.
window.addEventListener("pageshow", () => {
  for (const field of document.querySelectorAll("form[data-filters] :disabled")) field.disabled = false;
});

lookAtPage();
startKeys();
startLive(lookAtPage);
