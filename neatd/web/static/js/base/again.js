// Asking again for what a part of the page shows: never twice at once, and not more often than it is worth.

/**
 * `call()` as a function that may be called as often as anybody likes: while one call is under way the next waits for
 * its end, all that come meanwhile are one, and between two starts `gapMs` pass.
 */
export function coalesced(call, gapMs = 0) {
  let isUnderWay = false;
  let isWanted = false;
  let last = -Infinity;
  return async function again() {
    isWanted = true;
    if (isUnderWay) return;
    isUnderWay = true;
    try {
      while (isWanted) {
        const restMs = last + gapMs - performance.now();
        if (restMs > 0) await new Promise((go) => setTimeout(go, restMs));
        isWanted = false;
        last = performance.now();
        await call();
      }
    } finally {
      isUnderWay = false;
    }
  };
}

/** `call(signal)` so that only the newest counts: one that is still under way is given up, and answers nothing. */
export function newest(call) {
  let controller = null;
  return async function ask(...given) {
    controller?.abort();
    const mine = (controller = new AbortController());
    try {
      await call(mine.signal, ...given);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  };
}
