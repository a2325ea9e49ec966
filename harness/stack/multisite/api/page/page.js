"use strict";
// What is shown follows the platform, a second behind; what a reader has opened or is at stays so.
const state = document.getElementById("state");
const stale = document.getElementById("stale");
let last = "";

async function refresh() {
  try {
    const answer = await fetch("/page/state", { cache: "no-store" });
    if (answer.status === 401) {
      location.reload();
      return;
    }
    if (!answer.ok) throw new Error(answer.statusText);
    const text = await answer.text();
    if (text !== last) show(text);
    last = text;
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
  setTimeout(refresh, 1000);
}

function show(text) {
  const open = [...state.querySelectorAll("details[open]")].map((one) => one.id);
  const at = document.activeElement && document.activeElement.id;
  const read = [...state.querySelectorAll("pre")].map((one) => [one.id, one.scrollTop, one.scrollLeft]);
  state.innerHTML = text;
  for (const id of open) {
    const one = document.getElementById(id);
    if (one) one.open = true;
  }
  for (const [id, top, left] of read) document.getElementById(id)?.scrollTo(left, top);
  if (at) document.getElementById(at)?.focus({ preventScroll: true });
}

setTimeout(refresh, 1000);
