// Downloads: a file name from a title, the page that a picture is from, and a blob handed to the browser.

const PERSONAL = ["runs", "sweeps", "embed", "embed_options"];

// The lines of a picture's provenance, and below them the link back to a page of the app; a notebook's address and a
// stand-alone page's lead nowhere. Which runs this browser has started is nobody else's business.
export function withLink(lines, address = location.href, isApp = document.querySelector(".stApp") !== null) {
  const url = new URL(address);
  if (!lines.length || !isApp || !/^https?:$/.test(url.protocol)) return lines;
  for (const name of PERSONAL) url.searchParams.delete(name);
  const query = url.search.replace(/%(2C|3A|3B|40|2F|3F|21|24|2A|7E)/gi, decodeURIComponent);
  return [...lines, `link: ${url.origin}${url.pathname}${query}`];
}

export function fileStem(title, { fallback, most }) {
  const joined = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  return joined.slice(0, most) || fallback;
}

export function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
