// The carrier of all heads' scores, and of what the selected head shows: they follow a picture that is painted already.

import { carry } from "./carry.js";
import { putScores } from "./store.js";

export default function attentionScores(component) {
  return carry(component, ({ header, arrays }) => putScores(header.view, header, arrays.scores));
}
