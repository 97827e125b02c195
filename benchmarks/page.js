// The clock inside the page: when messages came and went, and when what was asked for stood on the screen.
// Times are the page's own performance.now(), in milliseconds.
(() => {
  const TOO_LONG = 120_000;
  // Between two looks: frames that nobody else asked for would take the processor from the work that is measured.
  const LOOK_MILLISECONDS = 16;
  const clock = { sent: [], received: [] };
  const Native = window.WebSocket;
  window.WebSocket = class extends Native {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", () => clock.received.push(performance.now()));
    }
    send(message) {
      clock.sent.push(performance.now());
      super.send(message);
    }
  };

  // Components live in shadow roots below the element of their key.
  const hosts = {};
  function find(key, selector) {
    const known = hosts[key]?.isConnected && hosts[key].shadowRoot.querySelector(selector);
    if (known) return known;
    for (const host of document.querySelectorAll(`.st-key-${key}, .st-key-${key} *`)) {
      const found = host.shadowRoot?.querySelector(selector);
      if (!found) continue;
      hosts[key] = host;
      return found;
    }
    return null;
  }

  const painted = () => find("heads", ".thumbs")?.dataset.painted;
  const heatmap = () => find("heads", "[data-part=heatmap]");
  const isExact = () => heatmap()?.dataset.exact === "true";

  // The beginning of the frame after the next, once the test came true: what was painted is out by then.
  function until(test) {
    const started = performance.now();
    return new Promise((done, failed) => {
      const look = () => {
        if (performance.now() - started > TOO_LONG) failed(new Error("The picture did not come."));
        else if (test()) requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
        else setTimeout(look, LOOK_MILLISECONDS);
      };
      look();
    });
  }

  // Put a text into the area and commit it as Ctrl+Enter does, in one task, so that no pause in typing commits it.
  async function commit(text) {
    const [area, before] = [find("text_area", "textarea"), painted()];
    area.value = text;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    const started = performance.now();
    area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));
    const overview = await until(() => painted() && painted() !== before);
    const exact = await until(isExact);
    const scores = await until(() => find("heads_tables", "[data-part=heads] tbody tr"));
    return { started, overview, exact, scores, rows: Number(heatmap().dataset.rows) };
  }

  // Click a head's thumbnail; its exact map is there when the heatmap has another title and is exact.
  async function choose(layer, head, layers, heads) {
    const [canvas, before] = [find("heads", ".thumbs"), heatmap().getAttribute("aria-label")];
    const box = canvas.getBoundingClientRect();
    const [side, top, gap] = [22, 5, 2];
    const place = {
      clientX: box.left + side + ((head + 0.5) * (box.width - side)) / heads,
      clientY: box.top + top + ((layer + 0.5) * (box.height - top - gap)) / layers,
      bubbles: true,
    };
    const started = performance.now();
    canvas.dispatchEvent(new MouseEvent("click", place));
    const exact = await until(() => heatmap().getAttribute("aria-label") !== before && isExact());
    return { started, exact, title: heatmap().getAttribute("aria-label") };
  }

  window.benchmark = { clock, commit, choose };
})();
