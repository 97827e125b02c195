// The carrier of one exact map: puts it into the page's store, and takes no room on the page.

import { putHead } from "./store.js";
import { decodePayload } from "../../shared/js/decode.js";

const delivered = new WeakMap();

export default function attentionHead({ data, parentElement }) {
  const host = parentElement.host ?? parentElement;
  const box = host.closest?.('[data-testid="stElementContainer"]');
  box?.style.setProperty("display", "none");
  if (data && delivered.get(parentElement) !== data) {
    delivered.set(parentElement, data);
    const { header, arrays } = decodePayload(data);
    putHead(header.view, header, arrays.map);
  }
  return () => box?.style.removeProperty("display");
}
