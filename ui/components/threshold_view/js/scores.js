// The four counts at a threshold, and what is divided from them.

export function countsAt({ truePositives, falsePositives }, index) {
  const last = truePositives.length - 1;
  const [tp, fp] = [truePositives[index], falsePositives[index]];
  return { tp, fp, fn: truePositives[last] - tp, tn: falsePositives[last] - fp };
}

const share = (part, whole) => (whole ? part / whole : null);

export function scoresOf({ tp, fp, fn, tn }) {
  return {
    accuracy: share(tp + tn, tp + fp + fn + tn),
    precision: share(tp, tp + fp),
    recall: share(tp, tp + fn),
    f1: share(2 * tp, 2 * tp + fp + fn),
    falsePositiveRate: share(fp, fp + tn),
  };
}

export function curvesCsv(data) {
  const rows = data.thresholds.map((threshold, index) => {
    const counts = countsAt(data, index);
    const scores = scoresOf(counts);
    return [threshold ?? "inf", counts.tp, counts.fp, counts.fn, counts.tn, scores.recall, scores.falsePositiveRate, scores.precision ?? ""];
  });
  const comments = data.provenance.map((line) => `# ${line.replace(/\s+/g, " ")}`);
  const header = "threshold,true_positives,false_positives,false_negatives,true_negatives,recall,false_positive_rate,precision";
  return [...comments, header, ...rows.map((row) => row.join(","))].join("\n") + "\n";
}
