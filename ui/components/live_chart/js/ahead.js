// Fetch the chart library before there is a chart, so that a run's first curve appears at once.

import { decodePayload } from "../../../../playground/viewer/shared/js/decode.js";
import { loadPlotly } from "./library.js";

export default function loadAhead({ data }) {
  // The first chart tries again, and reports a failure.
  if (data) loadPlotly(decodePayload(data).header.script).catch(() => null);
}
