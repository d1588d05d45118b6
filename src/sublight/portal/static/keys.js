// Keys: "/" searches, "g" and a letter goes to a page, "?" shows the list. Never while someone types.

const PAGES = { h: "/", r: "/runs", c: "/clusters" };
let waitsForLetter = false;

export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, select, textarea, dialog")) return;
    if (waitsForLetter) {
      waitsForLetter = false;
      if (PAGES[event.key]) location.href = PAGES[event.key];
      return;
    }
    if (event.key === "g") {
      waitsForLetter = true;
      setTimeout(() => (waitsForLetter = false), 1500);
    } else if (event.key === "/") {
      event.preventDefault();
      const search = document.querySelector("[data-search]");
      if (search) search.focus();
      else location.href = "/runs#search";
    } else if (event.key === "?") {
      document.getElementById("help").showModal();
    }
  });
  if (location.hash === "#search") document.querySelector("[data-search]")?.focus();
}
