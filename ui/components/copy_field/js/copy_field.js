// A text to copy: by a button, or by selecting it, which a click into it does.

const SHOWN_FOR = 2500;

// Outside a secure context (plain HTTP in a classroom) there is no navigator.clipboard; the older way needs a selection.
async function copied(area) {
  area.select();
  try {
    await navigator.clipboard.writeText(area.value);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}

export default function copyField({ parentElement, data }) {
  const root = parentElement.querySelector(".copy-field");
  const [area, button, said] = ["textarea", "button", ".said"].map((part) => root.querySelector(part));
  root.querySelector(".label").textContent = data.label;
  area.setAttribute("aria-label", data.label);
  area.value = data.text;
  area.rows = data.rows;
  area.onfocus = () => area.select();
  button.textContent = data.copy;
  button.setAttribute("aria-label", `${data.copy}: ${data.label}`);
  let timer = null;
  button.onclick = async () => {
    said.textContent = (await copied(area)) ? data.copied : data.failed;
    button.focus();
    clearTimeout(timer);
    timer = setTimeout(() => (said.textContent = ""), SHOWN_FOR);
  };
  root.inert = false;
  return () => clearTimeout(timer);
}
