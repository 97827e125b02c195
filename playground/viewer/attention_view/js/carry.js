// What carries data to a view of the page: takes no room, and hands each payload on once.

import { decodePayload } from "../../shared/js/decode.js";

const delivered = new WeakMap();

export function carry({ data, parentElement }, put) {
  const host = parentElement.host ?? parentElement;
  const box = host.closest?.('[data-testid="stElementContainer"]');
  box?.style.setProperty("display", "none");
  if (data && delivered.get(parentElement) !== data) {
    delivered.set(parentElement, data);
    put(decodePayload(data));
  }
  return () => box?.style.removeProperty("display");
}
