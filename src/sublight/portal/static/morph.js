// Make one element look like another by changing as little as possible, so that focus, selection, scroll positions,
// open details and what people typed or ticked survive an update.

const KEPT = new Set(["open"]); // attributes that belong to the viewer, not to the server

function same(one, other) {
  if (one.nodeType !== other.nodeType || one.nodeName !== other.nodeName) return false;
  if (one.nodeType !== Node.ELEMENT_NODE) return true;
  // An element that a script of ours fills stands for one figure or log; another one needs a fresh element.
  return one.id === other.id && one.dataset?.chart === other.dataset?.chart && one.dataset?.log === other.dataset?.log;
}

export function morph(from, to) {
  if (from.nodeType === Node.TEXT_NODE) {
    if (from.data !== to.data) from.data = to.data;
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) return;
  if (from.hasAttribute("data-keep")) return;
  for (const { name, value } of [...to.attributes]) if (!KEPT.has(name) && from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes]) if (!KEPT.has(name) && !to.hasAttribute(name)) from.removeAttribute(name);
  morphChildren(from, to);
}

export function morphChildren(from, to) {
  const byId = new Map();
  for (const child of from.children) if (child.id) byId.set(child.id, child);
  let place = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const known = wanted.nodeType === Node.ELEMENT_NODE && wanted.id ? byId.get(wanted.id) : null;
    if (known && same(known, wanted)) {
      if (known === place) place = place.nextSibling;
      else from.insertBefore(known, place);
      morph(known, wanted);
    } else if (place && same(place, wanted)) {
      const next = place.nextSibling;
      morph(place, wanted);
      place = next;
    } else {
      from.insertBefore(document.importNode(wanted, true), place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}
