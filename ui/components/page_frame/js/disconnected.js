// A sentence at the foot of the window while the page has no connection. Once it is back the page is asked for again:
// Streamlit itself asks for nothing, and what was typed and chosen meanwhile would wait for the next press.

import { isConnected, watchConnection } from "../../../../playground/viewer/shared/js/connection.js";

// A proxy that restarts is back before that.
const PATIENCE_BEFORE_WORDS = 1000;

export class Disconnected {
  constructor(askAgain) {
    this.askAgain = askAgain;
    this.notice = document.createElement("div");
    this.notice.className = "no-connection";
    this.notice.setAttribute("role", "status");
    document.body.append(this.notice);
    this.stop = watchConnection(() => this.look());
  }

  look() {
    clearTimeout(this.timer);
    if (!isConnected()) {
      this.wasLost = true;
      this.timer = setTimeout(() => (this.notice.textContent = this.sentence), PATIENCE_BEFORE_WORDS);
    } else if (this.wasLost) {
      this.wasLost = false;
      this.notice.textContent = "";
      this.askAgain();
    }
  }

  dispose() {
    clearTimeout(this.timer);
    this.stop();
    this.notice.remove();
  }
}
