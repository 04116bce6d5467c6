// Which box a line of sight meets first. Boxes are {x, y, z, w, h, d}: centre of the foot, and size.

/** How far along the ray (origin, direction: [x, y, z]) the box begins; Infinity when it is missed. */
export function distanceTo(box, origin, direction) {
  const low = [box.x - box.w / 2, box.y, box.z - box.d / 2];
  const high = [box.x + box.w / 2, box.y + box.h, box.z + box.d / 2];
  let near = 0;
  let far = Infinity;
  for (let axis = 0; axis < 3; axis++) {
    if (Math.abs(direction[axis]) < 1e-9) {
      if (origin[axis] < low[axis] || origin[axis] > high[axis]) return Infinity;
      continue;
    }
    const a = (low[axis] - origin[axis]) / direction[axis];
    const b = (high[axis] - origin[axis]) / direction[axis];
    near = Math.max(near, Math.min(a, b));
    far = Math.min(far, Math.max(a, b));
    if (near > far) return Infinity;
  }
  return near;
}

/** The nearest of `things` ({box, ...}), or null. */
export function nearest(things, origin, direction) {
  let best = null;
  let least = Infinity;
  for (const thing of things) {
    const distance = distanceTo(thing.box, origin, direction);
    if (distance < least) [best, least] = [thing, distance];
  }
  return best;
}

/** Whether a box other than those `own` accepts stands between the eye and a point. */
export function isHidden(point, eye, boxes, own) {
  const direction = point.map((part, i) => part - eye[i]);
  // A little short of the point, so that what it rests on does not hide it.
  return boxes.some((each) => !own(each) && distanceTo(each.box, eye, direction) < 0.985);
}
