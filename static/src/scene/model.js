// What the API answers, as the one shape the scene draws:
// {wings: [{key, name, floors: [{key, name, colour, plan, rooms: [{key, id, name, lang, url, values, state, text}]}]}]}.

const WING_COLOURS = ["#2f7f9e", "#a4552f", "#5b7a2b", "#7a5a9e", "#8a6d1f", "#4d6b8a"];

/** The organisation: units at the top are wings, units below that hold positions are their floors. */
export function organisationModel(answer, { language, roomUrl }) {
  const childrenOf = Map.groupBy
    ? Map.groupBy(answer.units, (unit) => unit.parent)
    : groupBy(answer.units);
  const nameOf = (unit) => (language === "en" && unit.name_en) || unit.name;
  const wings = (childrenOf.get(null) ?? []).map((top, index) => ({
    key: String(top.id),
    name: nameOf(top),
    floors: floorsOf(top, top.colour || WING_COLOURS[index % WING_COLOURS.length]),
  }));
  return { wings: wings.filter((wing) => wing.floors.length) };

  function floorsOf(unit, colour) {
    const own = unit.colour || colour;
    const below = childrenOf.get(unit.id) ?? [];
    const floors = unit.rooms.length || !below.length ? [floorOf(unit, own)] : [];
    return floors.concat(below.flatMap((child) => floorsOf(child, own)));
  }

  function floorOf(unit, colour) {
    return {
      key: String(unit.id),
      id: unit.id,
      name: nameOf(unit),
      colour,
      plan: unit.plan,
      rooms: unit.rooms.map((room) => ({
        key: `${unit.id}-${room.id}`,
        id: room.id,
        name: room.title,
        lang: room.language === "zh" ? "zh-Hans" : "en",
        url: fill(roomUrl, room.id),
        values: { courses: room.courses },
      })),
    };
  }
}

/** The portal's own layers: one wing, a floor for each layer, a room for each part. */
export function portalModel(answer) {
  const floors = answer.layers.map((layer) => ({
    key: layer.key,
    name: layer.name,
    colour: layer.colour,
    plan: "",
    rooms: layer.parts.map((part) => ({
      key: part.key,
      id: part.key,
      name: part.title,
      lang: "",
      url: part.url,
      state: part.state,
      text: part.text,
      values: { load: part.fullness },
    })),
  }));
  return { wings: [{ key: "portal", name: "", floors }] };
}

/** The address with the id in the place of its number 0. */
export function fill(url, id) {
  return url.replace(/\/0(?=\/|$)/, `/${id}`);
}

function groupBy(units) {
  const groups = new Map();
  for (const unit of units) {
    if (!groups.has(unit.parent)) groups.set(unit.parent, []);
    groups.get(unit.parent).push(unit);
  }
  return groups;
}
