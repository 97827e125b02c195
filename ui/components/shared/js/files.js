// What a person takes home: a file's name out of words, and a blob handed to the browser.

export function fileStem(words, { otherwise, most }) {
  const joined = words.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "");
  return joined.slice(0, most) || otherwise;
}

export function saveBlob(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
