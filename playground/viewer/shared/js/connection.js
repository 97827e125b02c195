// Whether the page can say anything to its server. While it cannot, Streamlit (1.67) greys its own fields and drops what
// components report. Values it keeps, and sends with the next request (page_frame asks for one); what only happens once
// waits here. navigator.onLine says nothing: a laptop without any network may be the server itself.

const STATE = "data-test-connection-state";

const streamlitApp = () => document.querySelector(".stApp");

// Outside Streamlit there is nobody to lose.
export function isConnected() {
  const app = streamlitApp();
  return !app || app.getAttribute(STATE) === "CONNECTED";
}

// Call `react` whenever the connection has changed; returns the function that ends this.
export function watchConnection(react) {
  const observer = new MutationObserver(react);
  if (streamlitApp()) observer.observe(streamlitApp(), { attributeFilter: [STATE] });
  return () => observer.disconnect();
}

// The same report, made when there is a connection; of several that wait the last one.
export function patient(report) {
  let stop = () => {};
  return (...reported) => {
    stop();
    if (isConnected()) return report(...reported);
    stop = watchConnection(() => {
      if (!isConnected()) return;
      stop();
      report(...reported);
    });
  };
}
