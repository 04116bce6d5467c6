// Values that glide to where they should be. With reduced motion they are there at once.

const SMOOTH = (t) => (t < 0.5 ? 4 * t ** 3 : 1 - (-2 * t + 2) ** 3 / 2);

export class Motion {
  constructor(reduced = () => matchMedia("(prefers-reduced-motion: reduce)").matches) {
    this.reduced = reduced;
    this.running = new Map();
  }

  /** Bring the numbers of `object` to those of `goal`; a later call of the same name takes over. */
  start(name, object, goal, ms = 520) {
    if (this.reduced()) {
      this.running.delete(name);
      Object.assign(object, goal);
      return;
    }
    const from = Object.fromEntries(Object.keys(goal).map((key) => [key, object[key]]));
    this.running.set(name, { object, from, goal, ms, began: performance.now() });
  }

  stop(name) {
    this.running.delete(name);
  }

  /** Move everything to the moment `now`; whether anything is still on its way. */
  step(now) {
    for (const [name, { object, from, goal, ms, began }] of this.running) {
      const t = Math.min(1, Math.max(0, (now - began) / ms));
      for (const key of Object.keys(goal))
        object[key] = from[key] + (goal[key] - from[key]) * SMOOTH(t);
      if (t >= 1) this.running.delete(name);
    }
    return this.running.size > 0;
  }
}
