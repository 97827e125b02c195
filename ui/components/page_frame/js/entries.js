// The browser's history: one entry for one act of a hand. Streamlit adds an entry for each parameter that the server
// writes, so that a page opened from the menu would take several steps back to leave, and none for its own widgets.

const HANDS = ["pointerdown", "keydown", "input"];
const LINKS = "[data-testid=stSidebarNavLink], [data-testid=stPageLink-NavLink]";
const VERBS = ["pushState", "replaceState"];

// What a new address is: an entry of its own (another page, or the first change after an act), part of the last entry,
// or nothing: on the way to another page Streamlit takes its widgets' values out, which the entry left behind keeps.
export function kindOf(wanted, current, act) {
  const [next, last] = [new URL(wanted, current), new URL(current)];
  if (next.pathname !== last.pathname) return "entry";
  if (act === "leave") return "nothing";
  return act === "change" && next.search !== last.search ? "entry" : "part";
}

function actOf(event) {
  return event.composedPath().some((node) => node.matches?.(LINKS)) ? "leave" : "change";
}

// Once for a document: the component comes and goes with the pages.
export function joinEntries() {
  if (Object.hasOwn(history, "pushState")) return;
  let act = null;
  for (const kind of HANDS) addEventListener(kind, (event) => (act = actOf(event)), { capture: true, passive: true });
  addEventListener("popstate", () => (act = null), { capture: true });
  for (const verb of VERBS) {
    history[verb] = (state, title, url) => {
      const kind = kindOf(url ?? location.href, location.href, act);
      if (kind === "nothing") return;
      if (kind === "entry") act = null;
      History.prototype[kind === "entry" ? "pushState" : "replaceState"].call(history, state, title, url);
    };
  }
}
