// Fetches the chart library before there is a chart: the first curve of a run then comes at once.

import { decodePayload } from "../../shared/js/decode.js";
import { loadPlotly } from "./library.js";

export default function loadAhead({ data }) {
  // A failure is told by the chart that needs it, which tries again.
  if (data) loadPlotly(decodePayload(data).header.script).catch(() => null);
}
