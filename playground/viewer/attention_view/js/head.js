// The carrier of one exact map: puts it into the page's store.

import { carry } from "./carry.js";
import { putHead } from "./store.js";

export default function attentionHead(component) {
  return carry(component, ({ header, arrays }) => putHead(header.view, header, arrays.map));
}
