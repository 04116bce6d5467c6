// The search of the 3D view: asks the server once typing pauses, lights up what it finds, flies from one to the next.
import { getJson } from "./http.js";
import { fill } from "./numbers.js";

const PAUSE_MS = 200;

export class Search {
  /** url: of the API; texts: {nothing, found, notAsked}; say: gets the line to show; signal: when to stop. */
  constructor(structure, { url, texts, say, signal }) {
    Object.assign(this, { structure, url, texts, say, signal });
    this.words = "";
    this.found = [];
    this.asked = Promise.resolve();
    signal.addEventListener("abort", () => clearTimeout(this.pause));
  }

  /** Look for these words soon; none: everything is bright again. */
  type(words) {
    this.words = words.trim();
    clearTimeout(this.pause);
    this.asked = new Promise((done) => {
      this.pause = setTimeout(() => done(this.ask(this.words)), PAUSE_MS);
    });
  }

  async ask(words) {
    this.found = [];
    if (!words) {
      this.structure.showFound(null);
      return this.say("");
    }
    const url = `${this.url}?words=${encodeURIComponent(words)}`;
    const answer = await getJson(url, { signal: this.signal }).catch(() => null);
    if (words !== this.words || this.signal.aborted) return;
    if (!answer) return this.say(this.texts.notAsked);
    this.found = answer.rooms.map(({ unit, room }) => `${unit}-${room}`);
    this.structure.showFound(this.found, words.toLowerCase().split(/\s+/));
    this.say(answer.total ? fill(this.texts.found, { count: answer.total }) : this.texts.nothing);
  }

  /** Fly to the next room that was found. */
  async visitNext() {
    await this.asked;
    if (!this.found.length || this.signal.aborted) return;
    this.found.push(this.found.shift());
    this.structure.visit(this.found.at(-1));
  }
}
