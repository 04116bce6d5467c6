// What colour and height everything has: by the chosen measure, by what was found, by the chosen floor.
import { roomHeight } from "./layout.js";
import { colourOf, css, mix, parse, STATE_COLOURS, sharesOf } from "./scales.js";

export class Palette {
  constructor(theme) {
    this.theme = theme;
    this.measure = "courses";
    // How far a learner is: {positions: {id: {done, favourite}}, courses: {id: done}}.
    this.ways = null;
    // The rooms and words of a search; null without one.
    this.found = null;
  }

  /** Give each room its share of the largest value; how high each is, and that value. */
  weigh(rooms) {
    for (const room of rooms)
      room.source.values.mine = this.ways?.positions[room.source.id]?.done ?? null;
    const measure = this.measure === "state" ? "load" : this.measure;
    const { shares, largest } = sharesOf(rooms, measure);
    rooms.forEach((room, i) => {
      room.share = shares[i];
    });
    return { heights: shares.map(roomHeight), largest };
  }

  /** Whether the room is on the learner's way. */
  isMine(room) {
    return Boolean(this.ways?.positions[room.source.id]);
  }

  slabColour(floor, chosen) {
    const tinted = mix(parse(this.theme.slab), parse(floor.source.colour), this.theme.tint);
    return isAside(floor, chosen) ? mix(tinted, parse(this.theme.faded), 0.75) : tinted;
  }

  roomColour(room, chosen) {
    if (this.found && !this.found.rooms.has(room)) return parse(this.theme.faded);
    const own = this.ownColour(room);
    return isAside(room.floor, chosen) ? mix(own, parse(this.theme.faded), 0.8) : own;
  }

  ownColour({ source, share }) {
    if (this.measure === "state") return parse(STATE_COLOURS[source.state]);
    return share === null ? parse(this.theme.unknown) : colourOf(share, this.theme.dark);
  }

  itemColour({ item, room }) {
    const { theme } = this;
    const unit = parse(room.floor.source.colour);
    if (this.found) {
      if (this.found.holds(item.title)) return parse(theme.lit);
      if (!this.found.rooms.has(room)) return parse(theme.faded);
    }
    return courseColour(theme, unit, this.ways?.courses[item.id] ?? 0);
  }

  /** Colours of the legend of a floor's courses, as CSS has them. */
  legendOf(floor) {
    const unit = parse(floor.source.colour);
    const [course, done] = [0, 1].map((share) => courseColour(this.theme, unit, share));
    return { course: css(course), done: css(done), video: this.theme.sheet };
  }
}

/** Of a course of which a learner has done this share. */
function courseColour(theme, unit, done) {
  if (done > 0) return mix(unit, parse(theme.lit), 0.4 + done * 0.6);
  return mix(unit, parse(theme.slab), 0.28);
}

function isAside(floor, chosen) {
  return Boolean(chosen) && floor !== chosen;
}
