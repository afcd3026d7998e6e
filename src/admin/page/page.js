// The live tail of the list of notifications. Rows come as the server renders them; the page asks for nothing else.
"use strict";
const tail = document.getElementById("tail");
const lines = document.getElementById("lines");
const MOST_LINES = 200;
if (tail && lines && window.EventSource) {
  const box = tail.querySelector("input");
  const status = tail.querySelector("[role=status]");
  let held = [];
  let stream = null;
  tail.hidden = false;
  const isReading = () => !box.checked || document.hidden || window.scrollY > 80;
  const show = () => {
    for (const html of held.splice(0)) {
      const row = document.createElement("tbody");
      row.innerHTML = html;
      const fresh = row.firstElementChild;
      const known = document.getElementById(fresh.id);
      if (known) {
        known.replaceWith(fresh);
      } else {
        fresh.classList.add("new");
        lines.prepend(fresh);
        lines.closest("table").hidden = false;
      }
    }
    while (lines.children.length > MOST_LINES) lines.lastElementChild.remove();
    status.textContent = "";
  };
  const offer = () => {
    if (!isReading()) show();
    else if (held.length) status.textContent = held.length + (held.length < MOST_LINES ? "" : " or more") + " new";
  };
  const open = () => {
    if (stream || document.hidden || !box.checked) return;
    stream = new EventSource(tail.dataset.href);
    stream.addEventListener("notification", (event) => {
      held.push(event.data);
      if (held.length > MOST_LINES) held.shift();
      offer();
    });
    stream.addEventListener("gone", (event) => {
      const row = document.getElementById(event.data);
      if (row) row.remove();
    });
    stream.onopen = () => { status.textContent = ""; };
    stream.onerror = () => {
      const isOver = stream.readyState === EventSource.CLOSED;
      status.textContent = isOver ? "not live: too many live views are open; reload later" : "the connection is lost; trying again";
    };
  };
  const close = () => { if (stream) { stream.close(); stream = null; } };
  box.addEventListener("change", () => { if (box.checked) { open(); show(); } else close(); });
  document.addEventListener("visibilitychange", () => { if (document.hidden) close(); else { open(); offer(); } });
  window.addEventListener("scroll", offer, { passive: true });
  open();
}
