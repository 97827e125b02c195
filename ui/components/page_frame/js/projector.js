// Projector mode: one picture fills the window, with larger type; the rest of the page is out of sight. In a frame of
// another page the same, for good: in the usual type, without the page's head and the picture's own tools.
//
// The mode is an attribute of the document's root, so that it outlives a rerun; the picture and the way down to it are
// marked. What a picture draws in pixels follows two inherited properties (readTheme in shared/js/colour.js).

const MODE = "data-projector";
const EMBEDDED = "data-embedded";
const PICTURE = "data-projected";
const WAY = "data-projected-way";
const SCALE = 1.4;
const BOTTOM = 12;
const SMALLEST = 60;
const LATER = 300;
const MAIN = "[data-testid=stMainBlockContainer]";
const HEAD = ".st-key-page_head";
const CANDIDATES = ".stBidiComponent, [data-testid=stIFrame]";
// Fields to type into, panels and maps to choose from are no pictures.
const OTHERS = `${HEAD} *, .st-key-context_bar *, [class*=_area], [class*=first_steps], .st-key-step_map *`;
const SHEET = `
:root[${MODE}] { font-size: ${100 * SCALE}%; }
:root[${MODE}] :is([data-testid=stSidebar], [data-testid=stSidebarCollapsedControl], [data-testid=stExpandSidebarButton],
  [data-testid=stCaptionContainer], .plain-caption, [data-testid=stExpander], .stMainMenu, .st-key-context_bar) { display: none; }
:root[${MODE}] [data-testid=stMain] { outline: none; box-shadow: none; }
:root[${MODE}] ${MAIN} { max-width: none; padding: 0.5rem 1rem 0; }
:root[${MODE}] ${HEAD} h1 { font-size: 1.1rem; }
:root[${MODE}] [${WAY}] > :not([${WAY}], [${PICTURE}], ${HEAD}, :has(${HEAD})) { display: none; }
:root[${MODE}] [${WAY}] { width: 100% !important; max-width: none !important; }
:root[${MODE}] [${PICTURE}] { width: 100% !important; max-width: none !important; max-height: var(--picture-height);
  overflow: auto; }
:root[${MODE}]:not([${EMBEDDED}]) [${PICTURE}]:has(iframe) { flex: none !important;
  height: var(--frame-height) !important; }
:root[${MODE}]:not([${EMBEDDED}]) [${PICTURE}] iframe { display: block;
  height: calc(var(--frame-height) / var(--frame-zoom)) !important; zoom: var(--frame-zoom); }
:root[${EMBEDDED}] { font-size: 100%; --tools: none; }
:root[${EMBEDDED}] ${HEAD}, :root[${EMBEDDED}] .modebar { display: none; }
:root[${EMBEDDED}] ${MAIN} { padding: 0.25rem; }
`;

export function addSheet() {
  if (document.getElementById("projector-sheet")) return;
  document.head.append(Object.assign(document.createElement("style"), { id: "projector-sheet", textContent: SHEET }));
}

// The picture that is pointed at, else the one with the largest part in sight; [{ box, isPointed }].
export function choosePicture(pictures, height) {
  const inSight = ({ box }) => box.width * Math.max(0, Math.min(height, box.bottom) - Math.max(0, box.top));
  const large = pictures.filter(({ box }) => box.height >= SMALLEST && box.width >= SMALLEST);
  return large.find(({ isPointed }) => isPointed) ?? large.reduce((best, one) => (!best || inSight(one) > inSight(best) ? one : best), null);
}

function pictures() {
  return [...document.querySelectorAll(`${MAIN} :is(${CANDIDATES})`)]
    .filter((node) => !node.closest(OTHERS))
    .map((node) => ({ node: node.closest("[data-testid=stElementContainer]") ?? node, box: node.getBoundingClientRect(), isPointed: node.matches(":hover") }));
}

function unmark() {
  for (const name of [PICTURE, WAY]) {
    for (const node of document.querySelectorAll(`[${name}]`)) node.removeAttribute(name);
  }
}

function markWay(node) {
  for (let one = node?.parentElement; one; one = one.parentElement) {
    one.setAttribute(WAY, "");
    if (one.matches(MAIN)) return;
  }
}

// A document in a frame has a height of its own: as large as the window takes, up to the scale of the type.
export function frameZoom(room, height) {
  return Math.min(SCALE, Math.max(1, room / height));
}

function isBusy() {
  const state = document.querySelector("[data-testid=stApp]")?.dataset.testScriptState;
  return state !== "notRunning" || document.querySelector("[data-testid=stSkeleton], [data-testid=stProgress]") !== null;
}

export class Projector {
  get isOn() {
    return document.documentElement.hasAttribute(MODE);
  }

  toggle(on = !this.isOn) {
    const { style } = document.documentElement;
    this.key = on ? this.keyOf(choosePicture(pictures(), innerHeight)?.node) : null;
    document.documentElement.toggleAttribute(MODE, on);
    if (on) style.setProperty("--type-scale", SCALE);
    else for (const name of ["--type-scale", "--picture-height", "--frame-height", "--frame-zoom"]) style.removeProperty(name);
    this.look();
    window.dispatchEvent(new Event("resize"));
  }

  // For good: nothing in the frame leads to the rest of the page.
  embed() {
    if (document.documentElement.hasAttribute(EMBEDDED)) return;
    document.documentElement.setAttribute(EMBEDDED, "");
    document.documentElement.setAttribute(MODE, "");
    this.look();
  }

  // Streamlit may put another node in a picture's place: its key finds it again.
  keyOf(node) {
    return [...(node?.classList ?? [])].find((name) => name.startsWith("st-key-")) ?? null;
  }

  // Mark the picture, also after the page has changed; where it is gone, the next best one is shown.
  look() {
    if (!this.isOn) return unmark();
    const marked = document.querySelector(`[${PICTURE}]`);
    if (marked && marked.getClientRects().length) return;
    unmark();
    // Opened as a frame, the page is still being built: its first picture need not be its largest, or is not there yet.
    const isEmbedded = document.documentElement.hasAttribute(EMBEDDED);
    if (isEmbedded && isBusy()) return this.lookLater();
    const kept = this.key && document.querySelector(`${MAIN} .${CSS.escape(this.key)}`);
    const node = kept ?? choosePicture(pictures(), innerHeight)?.node;
    if (!node) return isEmbedded && this.lookLater();
    this.key = this.keyOf(node);
    const frame = node.querySelector("iframe")?.getBoundingClientRect();
    node.setAttribute(PICTURE, "");
    markWay(node);
    const room = Math.max(200, Math.floor(innerHeight - node.getBoundingClientRect().top - BOTTOM));
    const { style } = document.documentElement;
    style.setProperty("--picture-height", `${room}px`);
    if (frame) {
      const zoom = frameZoom(room, frame.height);
      style.setProperty("--frame-height", `${Math.floor(zoom * frame.height)}px`);
      style.setProperty("--frame-zoom", zoom);
    }
    window.dispatchEvent(new Event("resize"));
  }

  lookLater() {
    clearTimeout(this.later);
    this.later = setTimeout(() => this.look(), LATER);
  }
}
