/**
 * What a series is, told from its name: a loss, a score, a learning rate, a norm of gradients; of training or of
 * evaluation. Pure.
 */

const LOSSES = new Set(["loss", "nll", "ppl", "perplexity", "bpb", "bpc", "mse", "mae", "rmse", "error", "err", "wer", "cer"]);
const SCORES = new Set([
  "acc", "accuracy", "f1", "dice", "iou", "miou", "map", "ap", "auc", "auroc", "bleu", "rouge", "reward", "score", "precision", "recall",
  "r2", "correct", "top",
]);
const TRAINED = new Set(["train", "training", "tr"]);
const HELD_OUT = new Set(["val", "valid", "validation", "eval", "evaluation", "test", "dev"]);
const PLAIN = new Set(["epoch", "step", "mean", "avg", "global", "total", "overall"]); // say no other quantity
const JOINED = /^(train|val|valid|test|eval|dev)(loss|acc|accuracy|dice|f1|iou|auc)$/;
const DENSE = /^(?:(train|val|valid|test|eval|dev)_?)?(lr|learning_?rate)\d*$/;

/** The words of a name, small: "train/valLoss_epoch" is train, val, loss, epoch. */
export function wordsOf(name) {
  const apart = name.replace(/mAP|mIoU/g, (one) => one.toLowerCase()).replace(/([a-z\d])([A-Z])/g, "$1 $2").toLowerCase();
  return apart.split(/[^a-z\d]+/).filter(Boolean).flatMap((word) => JOINED.exec(word)?.slice(1) ?? word);
}

/** Whether another source's series of the same name comes first: "tb:loss". */
const isDoubled = (name) => name.includes(":");

/** @returns {"train"|"held out"|""} what data it is measured on */
export function dataOf(name) {
  const words = wordsOf(name);
  if (words.some((word) => HELD_OUT.has(word))) return "held out";
  return words.some((word) => TRAINED.has(word)) ? "train" : "";
}

/** The quantity itself, the same for training and evaluation: "val/loss" and "train_loss" are both "loss". */
export function quantityOf(name) {
  const words = wordsOf(name).filter((word) => !TRAINED.has(word) && !HELD_OUT.has(word));
  const telling = words.filter((word) => !PLAIN.has(word));
  return (telling.length ? telling : words).join(" ") || name;
}

/** @returns {"loss"|"score"|"rate"|"gradient"|"other"} */
export function kindOf(name) {
  if (isDoubled(name)) return "other";
  const words = wordsOf(name);
  if (isRate(name, words)) return "rate";
  if (isGradient(words)) return "gradient";
  const last = quantityOf(name).split(" ");
  if (last.some((word) => LOSSES.has(word))) return "loss";
  return last.some(isScore) ? "score" : "other";
}

/** "map50" is a map, "top1" a top. */
const isScore = (word) => SCORES.has(word) || SCORES.has(word.replace(/\d+$/, ""));

function isRate(name, words) {
  return words.some((word, at) => DENSE.test(word) || (word === "learning" && words[at + 1] === "rate"));
}

/** The norm of all gradients, not of one layer's. */
function isGradient(words) {
  const rest = words.filter((word) => !TRAINED.has(word) && !PLAIN.has(word) && !["optim", "optimizer", "l2", "2"].includes(word));
  const text = rest.join("");
  return text === "gradnorm" || text === "gradientnorm" || text === "normgrad";
}

/** What people look at first: fewer words, then by name. */
export const byName = (a, b) => wordsOf(a).length - wordsOf(b).length || a.localeCompare(b, undefined, { numeric: true });
