// At the right of a page's title: projector mode; and what watches the whole page.

import { Disconnected } from "./disconnected.js";
import { joinEntries } from "./entries.js";
import { Hints } from "./hints.js";
import { closeBehindChoice } from "./menu.js";
import { Projector, addSheet } from "./projector.js";
import { bringIntoSight, takeTurn } from "./reveal.js";

const PAUSE = 250;

function isTyping(target) {
  return target.closest?.("input, textarea, select, [contenteditable=true], [role=combobox]");
}

// A formula or a line of code that is wider than its column scrolls; without a tab stop no keyboard reaches its end.
function reachScrolled() {
  for (const block of document.querySelectorAll(".katex-display, .stCode pre")) {
    if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
    else block.removeAttribute("tabindex");
  }
}

class PageFrame {
  constructor(root) {
    this.project = root.querySelector(".project");
    this.project.addEventListener("click", () => this.toggle());
    this.hints = new Hints(() => this.lookSoon());
    this.projector = new Projector();
    this.disconnected = new Disconnected(() => this.setTriggerValue("reconnected", true));
    this.onKey = (event) => {
      if (this.labels?.embedded) return;
      const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
      if (event.key.toLowerCase() === "p" && plain && !isTyping(event.composedPath()[0])) this.toggle();
      if (event.key === "Escape" && this.projector.isOn) this.toggle(false);
    };
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("click", closeBehindChoice);
    joinEntries();
    // A run changes the page a hundred times, and a live one all the time: look at it a few times a second.
    this.observer = new MutationObserver(() => this.lookSoon());
    this.observer.observe(document.body, { childList: true, subtree: true });
    addSheet();
  }

  lookSoon() {
    this.looking ??= setTimeout(() => {
      this.looking = null;
      reachScrolled();
      if (this.hidden && bringIntoSight(this.hidden)) this.hidden = null;
      this.hints.mark();
      this.projector.look();
    }, PAUSE);
  }

  accept(labels, setTriggerValue) {
    this.setTriggerValue = setTriggerValue;
    this.disconnected.sentence = labels.disconnected;
    // Streamlit puts the scheme on its app only, and dialogs stand outside: light-dark() would be light there.
    document.documentElement.style.colorScheme = getComputedStyle(document.querySelector(".stApp")).colorScheme;
    this.labels = labels;
    this.project.title = labels.projectHint;
    this.hints.accept(labels.terms);
    this.hidden = takeTurn(labels.reveal) ?? this.hidden;
    if (this.hidden) this.lookSoon();
    if (labels.embedded) this.projector.embed();
    this.show();
  }

  toggle(on) {
    this.projector.toggle(on);
    this.show();
  }

  show() {
    const on = this.projector.isOn;
    this.project.textContent = on ? this.labels.leave : this.labels.project;
    this.project.setAttribute("aria-pressed", String(on));
  }

  dispose() {
    clearTimeout(this.looking);
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("click", closeBehindChoice);
    this.observer.disconnect();
    this.hints.dispose();
    this.disconnected.dispose();
  }
}

const frames = new WeakMap();

export default function pageFrame({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".page-frame");
  let frame = frames.get(parentElement);
  if (!frame || frame.project !== root.querySelector(".project")) {
    frame?.dispose();
    frame = new PageFrame(root);
    frames.set(parentElement, frame);
  }
  frame.accept(data, setTriggerValue);
  root.inert = false;
  return () => {
    frame.dispose();
    frames.delete(parentElement);
  };
}
