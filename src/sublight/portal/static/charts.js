// Figures are fetched as JSON when they come near the screen, and drawn by Plotly, which is loaded with the first one.

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const drawn = new WeakMap(); // element -> text of the figure that it shows
const seen = new WeakSet();
let plotly = null;

function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.getElementById("portal-script").dataset.plotly;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("Plotly's script did not load"));
    document.head.append(script);
  });
  return plotly;
}

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      near.unobserve(entry.target);
      entry.target.dataset.near = "";
      redraw(entry.target);
    }
  },
  { rootMargin: "300px" },
);

export function showCharts() {
  for (const element of document.querySelectorAll("[data-chart]")) {
    if (seen.has(element)) continue;
    seen.add(element);
    near.observe(element);
  }
}

export async function redraw(element) {
  if (!("near" in element.dataset)) return; // nobody has looked at it yet
  try {
    const answer = await fetch(element.dataset.chart, { credentials: "same-origin" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    const text = await answer.text();
    if (drawn.get(element) === text) return;
    await draw(element, JSON.parse(text));
    drawn.set(element, text);
  } catch (error) {
    if (!drawn.has(element)) say(element, "This figure could not be drawn; reload the page to try again.");
    console.warn("figure", element.id, error);
  }
}

async function draw(element, figure) {
  const Plotly = await loadPlotly();
  const points = figure.data.some((trace) => (trace.x ?? trace.z ?? []).length);
  if (!points && !(figure.layout.annotations ?? []).length) return say(element, "Nothing to draw yet.");
  element.querySelector(".plot-wait")?.remove();
  const first = !element.classList.contains("js-plotly-plot");
  figure.layout.autosize = true;
  figure.layout.uirevision = "kept"; // zoom and hidden lines survive an update
  paint(figure.layout);
  await Plotly.react(element, figure.data, figure.layout, {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
  });
  element.dataset.drawn = String(Number(element.dataset.drawn ?? 0) + 1);
  if (first) element.on("plotly_click", openTrial);
}

function say(element, sentence) {
  const place = element.querySelector(".plot-wait");
  if (place) place.textContent = sentence;
}

function openTrial(event) {
  const who = event.points[0]?.customdata;
  if (Array.isArray(who) && typeof who[0] === "string") location.href = `/runs/${encodeURIComponent(who[0])}`;
}

function paint(layout) {
  const ink = dark.matches ? "#b4bdc8" : "#4a525c";
  layout.font = { ...layout.font, color: ink };
  layout.hoverlabel = dark.matches
    ? { bgcolor: "#222a33", bordercolor: "#3a444f", font: { color: "#e6eaef" } }
    : { bgcolor: "#ffffff", bordercolor: "#c8ced6", font: { color: "#1b1f24" } };
  layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: dark.matches ? "#66707c" : "#a5adb7", activecolor: ink };
}

dark.addEventListener("change", async () => {
  const Plotly = await loadPlotly();
  for (const element of document.querySelectorAll(".js-plotly-plot")) {
    const layout = {};
    paint(layout);
    Plotly.relayout(element, { "font.color": layout.font.color, hoverlabel: layout.hoverlabel, modebar: layout.modebar });
  }
});

// Buttons that show the same figure another way.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-draw]");
  if (!button) return;
  for (const other of button.parentElement.querySelectorAll("button")) other.setAttribute("aria-pressed", String(other === button));
  const element = document.getElementById(button.dataset.draw);
  element.dataset.chart = button.dataset.address;
  redraw(element);
});
