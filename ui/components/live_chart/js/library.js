// plotly.min.js, fetched once for all charts of the page, wherever the app is served from.

const LIBRARY = Symbol.for("playground.plotly");
const ENDPOINT = "app/static/";

// Candidates for the app's root: where Streamlit's own module came from, and each folder above this page, since
// a base path, a deep link or a proxy may change the address.
function possibleRoots() {
  const roots = [];
  const script = document.querySelector('script[type="module"][src*="static/js/"]');
  if (script) roots.push(script.src.split("static/js/")[0]);
  const parts = location.pathname.split("/");
  for (let count = parts.length - 1; count > 0; count--) roots.push(`${location.origin}${parts.slice(0, count).join("/")}/`);
  return [...new Set(roots)];
}

function loadScript(address) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.onload = () => (globalThis.Plotly ? resolve(globalThis.Plotly) : reject(new Error(address)));
    script.onerror = () => {
      script.remove();
      reject(new Error(address));
    };
    script.src = address;
    document.head.append(script);
  });
}

// A server without the file may answer with the app's page instead, so check the content type.
async function isServed(address) {
  const answer = await fetch(address, { method: "GET", headers: { Range: "bytes=0-0" } });
  const type = answer.headers.get("content-type") ?? "";
  await answer.body?.cancel();
  return answer.ok && type.includes("javascript");
}

async function findLibrary(name) {
  for (const root of possibleRoots()) {
    const address = `${root}${ENDPOINT}${name}`;
    if (await isServed(address).catch(() => false)) return loadScript(address);
  }
  throw new Error(`${name} is not served`);
}

// One promise for the page; after a failure the next chart tries again.
export function loadPlotly(name) {
  globalThis[LIBRARY] ??= findLibrary(name).catch((error) => {
    delete globalThis[LIBRARY];
    throw error;
  });
  return globalThis[LIBRARY];
}
